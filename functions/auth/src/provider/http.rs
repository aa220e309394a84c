//! Requests to providers.

use std::time::Duration;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::fault::point;
use shared::outbound::{Answer, Failure as NoAnswer, Limits, Request};

use super::Failure;

/// A sign-in makes four requests at most, within the time of the function.
pub(super) const LIMITS: Limits =
    Limits { connect: Duration::from_secs(2), total: Duration::from_secs(4), answer: 256 << 10 };

/// Sends a request for `what`, at the fault point `name`, and reads the JSON of the answer.
pub(super) async fn json<T: DeserializeOwned>(
    (name, what): (&'static str, &str),
    request: impl Fn() -> Request,
) -> Result<T, Failure> {
    let Answer { status, body, .. } = sent((name, what), request).await?;
    if !status.is_success() {
        return Err(Failure::wrong(format!("{what}: {status}")));
    }
    serde_json::from_slice(&body).map_err(|_| unreadable(what))
}

/// Sends a request for tokens. An endpoint for tokens tells errors in its answer; GitHub does so with the status 200
/// (RFC 6749, section 5.2).
pub(super) async fn tokens<T: DeserializeOwned>(
    name: &'static str,
    request: impl Fn() -> Request,
) -> Result<T, Failure> {
    const WHAT: &str = "tokens";
    let Answer { status, body, .. } = sent((name, WHAT), request).await?;
    let answer: Value = serde_json::from_slice(&body).map_err(|_| unreadable(WHAT))?;
    match answer["error"].as_str() {
        Some("invalid_grant" | "bad_verification_code") => Err(Failure::Code),
        Some(error) => Err(Failure::wrong(format!("{WHAT}: {}", printable(error)))),
        None if !status.is_success() => Err(Failure::wrong(format!("{WHAT}: {status}"))),
        None => serde_json::from_value(answer).map_err(|_| unreadable(WHAT)),
    }
}

async fn sent(
    (name, what): (&'static str, &str),
    request: impl Fn() -> Request,
) -> Result<Answer, Failure> {
    let answer = point(name, || request().send()).await;
    let answer = answer.map_err(|failure| match failure {
        NoAnswer::AnswerTooLong(_) | NoAnswer::Unsafe(_) => {
            Failure::wrong(format!("{what}: {}", failure.class()))
        }
        _ => Failure::Down(format!("{what}: {}", failure.class())),
    })?;
    let is_down = answer.status.is_server_error()
        || matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if is_down {
        return Err(Failure::Down(format!("{what}: {}", answer.status)));
    }
    Ok(answer)
}

/// Not the cause: it may have a part of the answer.
fn unreadable(what: &str) -> Failure {
    Failure::wrong(format!("{what}: the answer is not as it should be"))
}

/// The code of an error, for the log.
pub(super) fn printable(code: &str) -> String {
    let is_code = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c);
    code.chars().filter(is_code).take(60).collect()
}
