//! `PUT /v1/document-settings`

use axum::extract::State;
use axum::routing::put;
use axum::{Extension, Router};
use pdf_inspect::{Limits, Policy};
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::{Json, SignedIn, StatusCode};
use shared::id::TenantId;
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

/// Replaces all settings. A missing setting gets its default. The webhook gets a new secret if its URL
/// changes or if its receiver answered 410. Only this response shows the new secret. A webhook that was
/// disabled because its deliveries failed is enabled and keeps its secret.
async fn handle(
    State(state): State<System>,
    Extension(courier): Extension<Courier>,
    user: SignedIn,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Shown>> {
    user.require(WRITE)?;
    check_policy(&wanted.policy)?;
    let shown = retried(|| attempt(&state, &courier, user.tenant, &wanted)).await?;
    tracing::info!(tenant = %user.tenant, "settings changed");
    Ok(Json(shown))
}

/// `None` if the webhook changed in the meantime.
async fn attempt(
    state: &System,
    courier: &Courier,
    tenant: TenantId,
    wanted: &Wanted,
) -> Result<Option<Shown>> {
    let before = state.documents.settings(tenant).await?;
    let (webhook, is_new) = match &wanted.webhook {
        None => (None, false),
        Some(WantedWebhook { url }) => {
            match before.webhook.as_ref().and_then(|webhook| webhook.put_again(url)) {
                Some(same) => (Some(same), false),
                None => (Some(new_webhook(courier, url.clone()).await?), true),
            }
        }
    };
    let (policy, require_pdfa) = (wanted.policy.clone(), wanted.require_pdfa);
    let settings = Settings { policy, require_pdfa, webhook };
    let is_set = state.documents.set_settings(tenant, &before, &settings).await?;
    Ok(is_set.then(|| Shown::of(settings, is_new, state.clock.now())))
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
