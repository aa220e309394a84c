//! `PUT /v1/document-settings`

use axum::extract::State;
use axum::routing::put;
use axum::{Extension, Router};
use pdf_inspect::{Limits, Policy};
use serde::Deserialize;
use shared::Result;
use shared::http::{Json, SignedIn, StatusCode};
use shared::problem::Problem;
use shared::webhook::{Courier, Webhook};

use super::WRITE;
use super::get_settings::Shown;
use crate::settings::Settings;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System, courier: Courier) -> Router {
    let router = Router::new().route("/v1/document-settings", put(handle)).with_state(state);
    router.layer(Extension(courier))
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Wanted {
    policy: Policy,
    require_pdfa: bool,
    webhook: Option<WantedWebhook>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedWebhook {
    url: String,
}

/// Sets everything; what is left out goes back to its default. A webhook at another URL than before
/// gets a new secret, which is shown in this answer and in none after.
async fn handle(
    State(state): State<System>,
    Extension(courier): Extension<Courier>,
    user: SignedIn,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Shown>> {
    user.require(WRITE)?;
    check_policy(&wanted.policy)?;
    let before = state.documents.settings(user.tenant).await?.webhook;
    let (webhook, is_new) = match wanted.webhook {
        None => (None, false),
        Some(WantedWebhook { url }) => {
            match before.filter(|it| it.url == url && it.gone_at.is_none()) {
                Some(same) => (Some(same), false),
                None => (Some(new_webhook(&courier, url).await?), true),
            }
        }
    };
    let settings = Settings { policy: wanted.policy, require_pdfa: wanted.require_pdfa, webhook };
    state.documents.set_settings(user.tenant, &settings).await?;
    tracing::info!(tenant = %user.tenant, "settings changed");
    Ok(Json(Shown::of(settings, is_new)))
}

fn check_policy(policy: &Policy) -> Result<(), Problem> {
    if policy.max_inflated_bytes.is_none_or(|bytes| bytes <= Limits::MAX_TOTAL_BYTES) {
        return Ok(());
    }
    let title = "The body is not what this endpoint takes";
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", title)
        .field("policy.max_inflated_bytes", format!("at most {}", Limits::MAX_TOTAL_BYTES)))
}

async fn new_webhook(courier: &Courier, url: String) -> Result<Webhook> {
    courier.check(&url).await.map_err(|error| {
        let title = "The webhook's URL is not taken";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-webhook", title)
            .field("webhook.url", error.to_string())
    })?;
    Webhook::at(url)
}
