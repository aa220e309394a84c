//! `PUT /v1/document-settings`

use axum::extract::State;
use axum::{Extension, Router};
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, EditTag, Json, Precondition, StatusCode};
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

/// Replaces all settings. A missing setting gets its default. The webhook gets a new secret if its URL
/// changes or if its receiver answered 410. Only this response shows the new secret. A webhook that was
/// disabled because its deliveries failed is enabled and keeps its secret.
#[utoipa::path(put, path = "/v1/document-settings")]
async fn handle(
    State(state): State<System>,
    Extension(courier): Extension<Courier>,
    user: Allowed<Write>,
    precondition: Precondition,
    Json(fields): Json<SettingsFields>,
) -> Result<(EditTag, Json<Shown>)> {
    let fields = fields.valid()?;
    retried(async || {
        let before = state.documents.settings(user.tenant).await?;
        put((&state, &courier), user.tenant, &precondition, &before, (fields.clone(), true)).await
    })
    .await
}
