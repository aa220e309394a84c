//! What the endpoints that edit the settings share.

use pdf_inspect::{Limits, Policy};
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::{EditTag, INVALID_BODY, Json, Precondition};
use shared::id::TenantId;
use shared::problem::Problem;
use shared::webhook::{self, Courier};
use utoipa::ToSchema;

use super::get_settings::{PolicySchema, Shown};
use crate::settings::Settings;
use crate::system::System;

/// The largest number that each client can read: many have only the integers of an `f64`.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A tenant's new settings.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DocumentSettingsRequest)]
pub(super) struct SettingsFields {
    #[serde(default)]
    #[schema(value_type = PolicySchema)]
    policy: Policy,
    /// Whether a document must conform to PDF/A, in the flavour that it claims.
    #[serde(default)]
    require_pdfa: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<WebhookFields>,
}

/// The webhook that receives the final status of each document.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DocumentWebhookRequest)]
struct WebhookFields {
    /// The URL, with `https` and a public host.
    #[schema(format = "uri")]
    url: String,
}

impl From<&Settings> for SettingsFields {
    fn from(settings: &Settings) -> Self {
        let webhook = settings.webhook.as_ref();
        Self {
            policy: settings.policy.clone(),
            require_pdfa: settings.require_pdfa,
            webhook: webhook.map(|webhook| WebhookFields { url: webhook.url.clone() }),
        }
    }
}

impl SettingsFields {
    /// The fields, if their values are allowed.
    pub(super) fn valid(self) -> Result<Self, Problem> {
        let policy = &self.policy;
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
        Ok(self)
    }
}

/// Replaces the settings `before`. `None` if they changed in the meantime. If the request does not name the webhook, it
/// stays as it is, also if it is disabled.
pub(super) async fn put(
    (state, courier): (&System, &Courier),
    tenant: TenantId,
    precondition: &Precondition,
    before: &Settings,
    (fields, names_webhook): (SettingsFields, bool),
) -> Result<Option<(EditTag, Json<Shown>)>> {
    let tag = EditTag::of(&fields)?;
    precondition.check(Some(&EditTag::of(&SettingsFields::from(before))?), &tag)?;
    let (webhook, is_new) = match &fields.webhook {
        _ if !names_webhook => (before.webhook.clone(), false),
        None => (None, false),
        Some(WebhookFields { url }) => {
            let (webhook, is_new) =
                webhook::put(before.webhook.as_ref(), url, courier, "webhook.url").await?;
            (Some(webhook), is_new)
        }
    };
    let SettingsFields { policy, require_pdfa, .. } = fields;
    let settings = Settings { policy, require_pdfa, webhook, edits: before.edits };
    if settings != *before {
        if !state.documents.set_settings(tenant, before, &settings).await? {
            return Ok(None);
        }
        tracing::info!(%tenant, "settings changed");
    }
    Ok(Some((tag, Json(Shown::of(settings, is_new, state.clock.now())))))
}
