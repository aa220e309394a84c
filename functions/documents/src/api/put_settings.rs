//! `PUT /v1/document-settings`

use axum::extract::State;
use axum::{Extension, Router};
use pdf_inspect::{Limits, Policy};
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{INVALID_BODY, Json, SignedIn, StatusCode};
use shared::id::TenantId;
use shared::problem::Problem;
use shared::webhook::{self, Courier, INVALID_WEBHOOK};
use utoipa::ToSchema;

use super::WRITE;
use super::get_settings::{PolicySchema, Shown};
use crate::settings::Settings;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System, courier: Courier) -> Router {
    let router = contract::route!(handle).with_state(state);
    router.layer(Extension(courier))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .scope(WRITE)
        .answers::<Shown>(StatusCode::OK)
        .refuses(&[INVALID_WEBHOOK])
}

/// A tenant's new settings.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DocumentSettingsRequest)]
struct Request {
    #[serde(default)]
    #[schema(value_type = PolicySchema)]
    policy: Policy,
    /// Whether a document must conform to PDF/A, in the flavour that it claims.
    #[serde(default)]
    require_pdfa: bool,
    webhook: Option<RequestedWebhook>,
}

/// The webhook that receives the final status of each document.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DocumentWebhookRequest)]
struct RequestedWebhook {
    /// The URL, with `https` and a public host.
    #[schema(format = "uri")]
    url: String,
}

/// Replaces all settings. A missing setting gets its default. The webhook gets a new secret if its URL
/// changes or if its receiver answered 410. Only this response shows the new secret. A webhook that was
/// disabled because its deliveries failed is enabled and keeps its secret.
#[utoipa::path(put, path = "/v1/document-settings")]
async fn handle(
    State(state): State<System>,
    Extension(courier): Extension<Courier>,
    user: SignedIn,
    Json(request): Json<Request>,
) -> Result<Json<Shown>> {
    user.require(WRITE)?;
    check_policy(&request.policy)?;
    let shown = retried(|| attempt(&state, &courier, user.tenant, &request)).await?;
    tracing::info!(tenant = %user.tenant, "settings changed");
    Ok(Json(shown))
}

/// `None` if the webhook changed in the meantime.
async fn attempt(
    state: &System,
    courier: &Courier,
    tenant: TenantId,
    request: &Request,
) -> Result<Option<Shown>> {
    let before = state.documents.settings(tenant).await?;
    let (webhook, is_new) = match &request.webhook {
        None => (None, false),
        Some(RequestedWebhook { url }) => {
            let (webhook, is_new) =
                webhook::put(before.webhook.as_ref(), url, courier, "webhook.url").await?;
            (Some(webhook), is_new)
        }
    };
    let (policy, require_pdfa) = (request.policy.clone(), request.require_pdfa);
    let settings = Settings { policy, require_pdfa, webhook };
    let is_set = state.documents.set_settings(tenant, &before, &settings).await?;
    Ok(is_set.then(|| Shown::of(settings, is_new, state.clock.now())))
}

/// The largest number that each client can read: many have only the integers of an `f64`.
const MAX_NUMBER: u64 = (1 << 53) - 1;

fn check_policy(policy: &Policy) -> Result<(), Problem> {
    let pages = policy.max_pages.and_then(|pages| u64::try_from(pages).ok());
    for (field, number, most) in [
        ("policy.max_pages", pages, MAX_NUMBER),
        ("policy.max_bytes", policy.max_bytes, MAX_NUMBER),
        ("policy.max_inflated_bytes", policy.max_inflated_bytes, Limits::MAX_TOTAL_BYTES),
    ] {
        if number.is_some_and(|number| number > most) {
            return Err(Problem::of(INVALID_BODY).field(field, format!("at most {most}")));
        }
    }
    Ok(())
}
