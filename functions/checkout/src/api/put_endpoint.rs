//! `PUT /v1/webhook-endpoints/{name}`

use axum::extract::State;
use axum::{Extension, Router};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::lease::AttemptId;
use shared::problem::{Problem, ProblemType};
use shared::webhook::{self, Courier, INVALID_WEBHOOK};
use utoipa::ToSchema;

use super::Admin;
use crate::merchant::{Endpoint, EndpointName, MAX_ENDPOINTS};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System, courier: Courier) -> Router {
    let router = contract::route!(handle).with_state(state);
    router.layer(Extension(courier))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<Answer>(StatusCode::OK)
        .answers::<Answer>(StatusCode::CREATED)
        .links(&OF_ENDPOINT, "name", "$response.body#/name")
        .refuses(&[TOO_MANY_ENDPOINTS, INVALID_WEBHOOK])
}

/// What can be done with an endpoint that was put.
const OF_ENDPOINT: [&str; 3] =
    ["checkout-list-deliveries", "checkout-rotate-secret", "checkout-delete-endpoint"];

const TOO_MANY_ENDPOINTS: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "too-many-endpoints", "There are too many endpoints");

/// A webhook endpoint to put.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEndpointRequest)]
struct Request {
    /// The URL, with `https` and a public host.
    #[schema(format = "uri")]
    url: String,
}

/// A webhook endpoint that was put.
#[derive(Serialize, ToSchema)]
#[schema(as = StoredWebhookEndpoint)]
struct Answer {
    name: EndpointName,
    /// The URL that receives the messages.
    url: String,
    /// The signing secret. Only in the response that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Creates or replaces a webhook endpoint. An existing endpoint gets a new secret if its URL changes or if
/// its receiver answered 410. An endpoint that was disabled because its deliveries failed is enabled and
/// keeps its secret.
#[utoipa::path(put, path = "/v1/webhook-endpoints/{name}")]
async fn handle(
    State(state): State<System>,
    Extension(courier): Extension<Courier>,
    _: Allowed<Admin>,
    Path(name): Path<EndpointName>,
    Json(Request { url }): Json<Request>,
) -> Result<(StatusCode, Json<Answer>)> {
    let attempt = || attempt(&state, &courier, &name, &url);
    retried(attempt).await
}

/// `None` if the endpoints changed in the meantime.
async fn attempt(
    state: &System,
    courier: &Courier,
    name: &EndpointName,
    url: &str,
) -> Result<Option<(StatusCode, Json<Answer>)>> {
    let known = state.store.endpoints_to_change().await?;
    let before = known.all.iter().find(|endpoint| endpoint.name == *name);
    let answer = |secret| Json(Answer { name: name.clone(), url: url.to_owned(), secret });
    if before.is_none() && known.all.len() >= MAX_ENDPOINTS {
        return Err(Problem::of(TOO_MANY_ENDPOINTS)
            .detail(format!("The maximum is {MAX_ENDPOINTS}."))
            .into());
    }
    let before = before.map(|endpoint| &endpoint.webhook);
    let (webhook, is_new) = webhook::put(before, url, courier, "url").await?;
    if before == Some(&webhook) {
        return Ok(Some((StatusCode::OK, answer(None))));
    }
    let secret = is_new.then(|| webhook.secret.expose_secret().to_owned());
    let endpoint = Endpoint { name: name.clone(), webhook, created_at: state.clock.now() };
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let token: AttemptId = state.ids.next();
    if !state.store.put_endpoint(&token.to_string(), &known, &endpoint).await? {
        return Ok(None);
    }
    tracing::info!(%name, "webhook endpoint put");
    Ok(Some((status, answer(secret))))
}
