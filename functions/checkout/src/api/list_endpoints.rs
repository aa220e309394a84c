//! `GET /v1/webhook-endpoints`

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use shared::webhook::State as EndpointState;
use utoipa::ToSchema;

use super::Admin;
use crate::merchant::{Endpoint, EndpointName};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Endpoints>(StatusCode::OK)
}

/// All webhook endpoints.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoints)]
struct Endpoints {
    /// The endpoints, sorted by name.
    endpoints: Vec<Shown>,
}

/// A webhook endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
struct Shown {
    name: EndpointName,
    /// The URL that receives the messages.
    url: String,
    /// The time of the last put that changed the endpoint.
    created_at: Timestamp,
    #[serde(flatten)]
    state: EndpointState,
}

/// Lists all webhook endpoints, without their secrets.
#[utoipa::path(get, path = "/v1/webhook-endpoints")]
async fn handle(State(state): State<System>, _: Allowed<Admin>) -> Result<Json<Endpoints>> {
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
