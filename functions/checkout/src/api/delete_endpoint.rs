//! `DELETE /v1/webhook-endpoints/{name}`

use axum::Router;
use axum::extract::State;
use axum::routing::delete;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Path, SignedIn, StatusCode};

use super::{ADMIN, has_clock};
use crate::merchant::EndpointName;
use crate::store::Store;

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct DeleteEndpoint {
    /// The checkout's table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}
has_clock!(DeleteEndpoint);

/// The endpoint's router.
pub fn router(state: DeleteEndpoint) -> Router {
    Router::new().route("/v1/webhook-endpoints/{name}", delete(handle)).with_state(state)
}

/// Has a merchant told no more. Doing it twice is doing it once.
async fn handle(
    State(state): State<DeleteEndpoint>,
    user: SignedIn,
    Path(name): Path<EndpointName>,
) -> Result<StatusCode> {
    user.require(ADMIN)?;
    state.store.remove_endpoint(&name).await?;
    tracing::info!(%name, "webhook endpoint deleted");
    Ok(StatusCode::NO_CONTENT)
}
