//! API Gateway's authorizer: payload format 2.0, simple responses.

use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2CustomAuthorizerSimpleResponse;
use jiff::Timestamp;
use serde_json::Value;
use shared::Result;
use shared::cached::Cached;
use shared::http::SignedIn;
use shared::program::Environment;

use crate::system;
use crate::token::{Claims, Verifier};

/// How long the public keys are cached.
const KEYS_LIFETIME: Duration = Duration::from_mins(5);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let (issuer, keys) = (system::issuer_name()?, system::public_keys(environment)?);
    let clock = &environment.clock;
    let cached = Cached::new(KEYS_LIFETIME, clock.clone());
    let fetch = async || Ok(Verifier::new(&issuer, keys.get().await?));
    cached.get(fetch).await?;
    shared::invocation::run(async |request, _| {
        Ok(authorize(&request, cached.get(fetch).await?.as_ref(), clock.now()))
    })
    .await
}

/// The answer: whether the request may pass, and the user's data for the function.
pub type Answer = ApiGatewayV2CustomAuthorizerSimpleResponse<Option<Value>>;

/// Decides whether the request may pass. If not, API Gateway answers 403. Without an `Authorization` header,
/// API Gateway answers 401 and does not call the authorizer. Only this header of the event is read, so that
/// no other input of a caller can make the authorizer fail. Two such headers, or two tokens in one, are
/// refused: another reader could take the other one.
#[must_use]
pub fn authorize(event: &Value, verifier: &Verifier, now: Timestamp) -> Answer {
    let headers = event["headers"].as_object().into_iter().flatten();
    let mut named = headers.filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let header = match (named.next(), named.next()) {
        (Some((_, value)), None) => value.as_str(),
        _ => None,
    };
    let signed_in = match header.and_then(bearer) {
        None => Err("no bearer token".to_owned()),
        Some(token) => verifier.verify(token, now).map_err(|e| e.to_string()).and_then(|claims| {
            signed_in(claims).ok_or_else(|| "the expiry is out of range".to_owned())
        }),
    };
    let mut answer = Answer::default();
    match signed_in {
        Ok(user) => {
            answer.is_authorized = true;
            answer.context = serde_json::to_value(user).ok();
        }
        Err(reason) => tracing::info!(reason, "request refused"),
    }
    answer
}

/// The bearer token of an `Authorization` header. The scheme is case-insensitive (RFC 9110).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn signed_in(claims: Claims) -> Option<SignedIn> {
    Some(SignedIn {
        user: claims.sub,
        tenant: claims.tenant,
        scope: claims.scope,
        expires_at: Timestamp::from_second(claims.exp).ok()?,
    })
}
