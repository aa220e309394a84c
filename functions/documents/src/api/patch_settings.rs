//! `PATCH /v1/document-settings`

use axum::extract::State;
use axum::{Extension, Router};
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, EditTag, Json, MergePatch, Precondition, StatusCode};
use shared::webhook::{Courier, INVALID_WEBHOOK};

use super::Write;
use super::get_settings::Shown;
use super::settings_fields::{SettingsFields, put};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System, courier: Courier) -> Router {
    let router = contract::route!(handle).with_state(state);
    router.layer(Extension(courier))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Shown>(StatusCode::OK).refuses(&[INVALID_WEBHOOK])
}

/// Changes some settings. If the request names the webhook, the same happens to it as when all settings are
/// replaced.
#[utoipa::path(patch, path = "/v1/document-settings")]
async fn handle(
    State(state): State<System>,
    Extension(courier): Extension<Courier>,
    user: Allowed<Write>,
    precondition: Precondition,
    patch: MergePatch<SettingsFields>,
) -> Result<(EditTag, Json<Shown>)> {
    retried(async || {
        let before = state.documents.settings(user.tenant).await?;
        let fields = patch.applied(&SettingsFields::from(&before))?.valid()?;
        put(
            (&state, &courier),
            user.tenant,
            &precondition,
            &before,
            (fields, patch.names("webhook")),
        )
        .await
    })
    .await
}
