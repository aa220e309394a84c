//! `GET /v1/document-settings`

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use pdf_inspect::Feature;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, EditTag, Json, StatusCode};
use shared::webhook::State as EndpointState;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Policy)]
#[expect(dead_code, reason = "the schema of a type of a crate without this dependency")]
pub(super) struct PolicySchema {
    /// The features of a PDF with another action than the default, such as `java_script`.
    #[schema(required = false, value_type = BTreeMap<FeatureSchema, PolicyAction>)]
    features: BTreeMap<String, PolicyAction>,
    /// The maximum number of pages, or `null`.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    max_pages: Option<u64>,
    /// The maximum size of the file in bytes, or `null`.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    max_bytes: Option<u64>,
    /// The maximum size of all inflated streams in bytes, or `null` for the default.
    #[schema(maximum = 8_589_934_592_u64)]
    max_inflated_bytes: Option<u64>,
}

/// A feature of a PDF.
struct FeatureSchema;

impl PartialSchema for FeatureSchema {
    fn schema() -> RefOr<Schema> {
        let names = Feature::ALL.iter().filter_map(|feature| serde_json::to_value(feature).ok());
        let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        schema.description(Some("A feature of a PDF.")).into()
    }
}

impl ToSchema for FeatureSchema {
    fn name() -> Cow<'static, str> {
        "PdfFeature".into()
    }
}

/// What happens to a file with a feature.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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
