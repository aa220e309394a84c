//! `GET /v1/document-settings`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use shared::Result;
use shared::http::{Json, SignedIn};
use shared::webhook::State as EndpointState;

use super::READ;
use crate::settings::Settings;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/document-settings", get(handle)).with_state(state)
}

/// A tenant's settings, without the secret.
#[derive(Serialize)]
pub(super) struct Shown {
    policy: pdf_inspect::Policy,
    require_pdfa: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<ShownWebhook>,
}

#[derive(Serialize)]
struct ShownWebhook {
    url: String,
    /// Only in the response that creates the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(flatten)]
    state: EndpointState,
}

impl Shown {
    pub(super) fn of(settings: Settings, shows_secret: bool, now: Timestamp) -> Self {
        Self {
            policy: settings.policy,
            require_pdfa: settings.require_pdfa,
            webhook: settings.webhook.map(|webhook| ShownWebhook {
                state: EndpointState::of(&webhook, now),
                url: webhook.url,
                secret: shows_secret.then(|| webhook.secret.expose_secret().to_owned()),
            }),
        }
    }
}

async fn handle(State(state): State<System>, user: SignedIn) -> Result<Json<Shown>> {
    user.require(READ)?;
    let settings = state.documents.settings(user.tenant).await?;
    Ok(Json(Shown::of(settings, false, state.clock.now())))
}
