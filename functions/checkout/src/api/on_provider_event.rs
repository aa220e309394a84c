//! `POST /v1/payments/webhook`: the payment provider tells that something has changed.

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

use crate::payments::webhook::{about, verify};

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

/// Has the order looked at that the event is about, and takes nothing else from it: one that comes
/// early, late, twice or out of order does no harm, and one that never comes is made up for by the
/// sweeper.
async fn handle(
    State(state): State<OnProviderEvent>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode> {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    let verified = verify(signature.unwrap_or_default(), &body, &state.secret, state.clock.now());
    if let Err(rejected) = verified {
        tracing::warn!(why = %rejected, "an event that is not the provider's");
        let title = "The signature is not good";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-signature", title).into());
    }
    if let Some(job) = about(&body) {
        state.orders.send(&job).await?;
        tracing::info!(?job, "the provider has something to tell");
    }
    Ok(StatusCode::OK)
}
