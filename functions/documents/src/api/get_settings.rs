//! `GET /v1/document-settings`

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, EditTag, Json, StatusCode};
use shared::webhook::State as EndpointState;
use utoipa::ToSchema;

use super::Read;
use super::settings_fields::SettingsFields;
use crate::settings::Settings;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Shown>(StatusCode::OK)
}

/// A tenant's settings, without the secret.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentSettings)]
pub(super) struct Shown {
    #[schema(value_type = PolicySchema)]
    policy: pdf_inspect::Policy,
    /// Whether a document must conform to PDF/A, in the flavour that it claims.
    require_pdfa: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<ShownWebhook>,
}

/// The webhook that receives the final status of each document.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentWebhook)]
struct ShownWebhook {
    /// The URL that receives the messages.
    url: String,
    /// Only in the response that creates the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(flatten)]
    state: EndpointState,
}

/// What a file must not contain.
#[derive(ToSchema)]
#[schema(as = Policy)]
#[expect(dead_code, reason = "the schema of a type of a crate without this dependency")]
pub(super) struct PolicySchema {
    /// The features of a PDF with another action than the default, such as `java_script`.
    #[schema(required = false)]
    features: std::collections::BTreeMap<String, PolicyAction>,
    /// The maximum number of pages, or `null`.
    max_pages: Option<usize>,
    /// The maximum size of the file in bytes, or `null`.
    max_bytes: Option<u64>,
    /// The maximum size of all inflated streams in bytes, or `null` for the default.
    max_inflated_bytes: Option<u64>,
}

/// What happens to a file with a feature.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "as PolicySchema")]
enum PolicyAction {
    Allow,
    Flag,
    Refuse,
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

/// Shows the tenant's settings.
#[utoipa::path(get, path = "/v1/document-settings")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Read>,
) -> Result<(EditTag, Json<Shown>)> {
    let settings = state.documents.settings(user.tenant).await?;
    let tag = EditTag::of(&SettingsFields::from(&settings))?;
    Ok((tag, Json(Shown::of(settings, false, state.clock.now()))))
}
