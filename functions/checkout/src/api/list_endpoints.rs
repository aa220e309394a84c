//! `GET /v1/webhook-endpoints`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::{Json, SignedIn};
use shared::webhook::State as EndpointState;

use super::ADMIN;
use crate::merchant::{Endpoint, EndpointName};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/webhook-endpoints", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Endpoints {
    endpoints: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    name: EndpointName,
    url: String,
    created_at: Timestamp,
    #[serde(flatten)]
    state: EndpointState,
}

/// All endpoints, without their secrets.
async fn handle(State(state): State<System>, user: SignedIn) -> Result<Json<Endpoints>> {
    user.require(ADMIN)?;
    let now = state.clock.now();
    let shown = |Endpoint { name, webhook, created_at }| Shown {
        name,
        state: EndpointState::of(&webhook, now),
        url: webhook.url,
        created_at,
    };
    let endpoints = state.store.endpoints().await?.into_iter().map(shown).collect();
    Ok(Json(Endpoints { endpoints }))
}
