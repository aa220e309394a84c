use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};

use super::Webhook;
use crate::fault::point;
use crate::outbound::{Failure, Head, Limits, Outbound, Unsafe};
use crate::{Error, Result};

/// Maximum duration of a request, including the host lookup and the response.
pub const MAX_TIME: Duration = Duration::from_secs(10);
/// The limits of a request. A response up to `answer` bytes is read, so that its connection is reused.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(5), total: MAX_TIME, answer: 16 * 1024 };
/// The minimum and the maximum wait from a receiver's `Retry-After`.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Posts messages to receivers, through one client that reuses its connections.
#[derive(Clone, Debug)]
pub struct Courier {
    outbound: Outbound,
}

/// A receiver's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    /// The status.
    pub(super) status: StatusCode,
    /// The `Retry-After` of a 429 or 503, limited to between 1 s and 1 h.
    pub(super) wait: Option<Duration>,
}

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("the message cannot be signed")]
    Unsigned(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Unanswered {
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Unsigned(_) => "invalid_secret",
            Self::Failed(failure) => failure.class(),
        }
    }
}

impl Courier {
    /// A courier that posts to public addresses by HTTPS. If it `trusts_private`, which is for a laptop
    /// only, it also allows HTTP and private addresses.
    ///
    /// # Errors
    /// When the client cannot be created.
    pub fn new(trusts_private: bool) -> Result<Self> {
        Ok(Self { outbound: Outbound::guarded(LIMITS, trusts_private)? })
    }

    /// Checks a URL and the addresses of its host.
    ///
    /// # Errors
    /// [`Unsafe`]
    pub async fn check(&self, url: &str) -> Result<Url, Unsafe> {
        self.outbound.check(url).await
    }

    /// Signs and posts `body`. Does not follow redirects.
    ///
    /// # Errors
    /// When there is no response.
    pub(super) async fn post(
        &self,
        webhook: &Webhook,
        id: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<Answered, Unanswered> {
        let signatures = webhook.signatures(id, body, now).map_err(|error| match error {
            Error::Internal(error) | Error::Conflict(error) => Unanswered::Unsigned(error),
            Error::Problem(problem) => Unanswered::Unsigned(format!("{problem:?}").into()),
        })?;
        let send = || {
            let request = self.outbound.request(Method::POST, &webhook.url);
            request
                .header(CONTENT_TYPE, "application/json")
                .header(ID, id)
                .header(TIMESTAMP, now.as_second())
                .header(SIGNATURE, &signatures)
                .body(body.to_owned())
                .send_for_status()
        };
        let head = point("webhook.post", send).await?;
        Ok(Answered { status: head.status, wait: wait(&head, now) })
    }
}

/// The wait from `Retry-After` (RFC 9110: seconds or a date), limited to [`WAIT`].
fn wait(head: &Head, now: Timestamp) -> Option<Duration> {
    if !matches!(head.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let value = head.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse::<u64>().ok().or_else(|| {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        Some(u64::try_from(date.as_second() - now.as_second()).unwrap_or_default())
    })?;
    Some(Duration::from_secs(seconds).clamp(WAIT.0, WAIT.1))
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    async fn answered(answer: ResponseTemplate) -> Answered {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let webhook = Webhook::at(server.uri()).unwrap();
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        Courier::new(true).unwrap().post(&webhook, "msg", "{}", now).await.unwrap()
    }

    #[tokio::test]
    async fn retry_after_is_read_and_limited() {
        for (status, header, wait) in [
            (429, "7", Some(7)),
            (503, "0", Some(1)),
            (503, "999999", Some(3600)),
            (429, "Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            (429, "Sun, 06 Nov 1994 08:00:00 GMT", Some(1)),
            (429, "soon", None),
            (500, "7", None),
        ] {
            let answer = ResponseTemplate::new(status).insert_header("retry-after", header);
            let answered = answered(answer).await;
            assert_eq!(answered.status, status);
            assert_eq!(answered.wait.map(|wait| wait.as_secs()), wait, "{status} {header}");
        }
        let long = ResponseTemplate::new(200).set_body_string("a".repeat(1_000_000));
        assert_eq!(answered(long).await.status, 200);
    }

    #[tokio::test]
    async fn a_courier_refuses_private_addresses() {
        let courier = Courier::new(false).unwrap();
        let webhook = Webhook::at("https://127.0.0.1/".into()).unwrap();
        let posted = courier.post(&webhook, "msg", "{}", Timestamp::UNIX_EPOCH).await;
        assert_eq!(posted.unwrap_err().class(), "private_address");
        assert_eq!(courier.check(&webhook.url).await, Err(Unsafe::Private));
    }
}
