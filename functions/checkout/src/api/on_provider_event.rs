//! `POST /v1/payments/webhook`: receives the payment provider's webhooks.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use secrecy::SecretString;
use shared::Result;
use shared::clock::Clock;
use shared::http::StatusCode;
use shared::problem::Problem;
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
    Router::new().route("/v1/payments/webhook", post(handle)).with_state(state)
}

/// Verifies the webhook and queues a job for its order. It uses no other data of the webhook, so a webhook
/// that comes early, late, twice or out of order does no harm. If a webhook never comes, the sweeper
/// queues the order.
async fn handle(
    State(state): State<OnProviderEvent>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode> {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    let verified = verify(signature.unwrap_or_default(), &body, &state.secret, state.clock.now());
    if let Err(rejected) = verified {
        tracing::warn!(why = %rejected, "webhook rejected");
        let title = "The signature is not valid";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-signature", title).into());
    }
    if let Some(job) = job_for(&body) {
        state.orders.send(&job).await?;
        tracing::info!(?job, "webhook accepted");
    }
    Ok(StatusCode::OK)
}
