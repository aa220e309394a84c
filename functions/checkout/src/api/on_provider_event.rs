//! `POST /v1/payments/webhook`: receives the payment provider's webhooks.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use secrecy::SecretString;
use shared::Result;
use shared::clock::Clock;
use shared::http::StatusCode;
use shared::http::contract::{self, Operation};
use shared::problem::{Problem, ProblemType};
use shared::queue::Queue;

use crate::payments::webhook::{job_for, verify};

#[derive(Clone, Debug)]
struct OnProviderEvent {
    orders: Queue,
    secret: SecretString,
    clock: Clock,
}

/// The endpoint's router.
pub fn router(orders: Queue, secret: SecretString, clock: Clock) -> Router {
    let state = OnProviderEvent { orders, secret, clock };
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers_nothing(StatusCode::OK)
        .needs(
            "Stripe-Signature",
            "The time and the signature of the provider.",
            "t=1795255200,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
        )
        .refuses(&[INVALID_SIGNATURE])
}

const INVALID_SIGNATURE: ProblemType =
    ProblemType::new(StatusCode::BAD_REQUEST, "invalid-signature", "The signature is not valid");

/// Receives a webhook of the payment provider. Verifies it and queues a job for its order. It uses no other
/// data of the webhook, so a webhook that comes early, late, twice or out of order does no harm. If a webhook
/// never comes, the sweeper queues the order.
#[utoipa::path(post, path = "/v1/payments/webhook")]
async fn handle(
    State(state): State<OnProviderEvent>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode> {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    let verified = verify(signature.unwrap_or_default(), &body, &state.secret, state.clock.now());
    if let Err(rejected) = verified {
        tracing::warn!(why = %rejected, "webhook rejected");
        return Err(Problem::of(INVALID_SIGNATURE).into());
    }
    if let Some(job) = job_for(&body) {
        state.orders.send(&job).await?;
        tracing::info!(?job, "webhook accepted");
    }
    Ok(StatusCode::OK)
}
