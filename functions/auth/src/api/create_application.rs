//! `POST /v1/applications`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, INVALID_BODY, Json, StatusCode};
use shared::problem::Problem;
use shared::scopes::Admin;
use utoipa::ToSchema;

use super::{NO_STORE, NoStore, require_own_session};
use crate::oauth::application::{Application, ApplicationKind, Registration, Secret};
use crate::store::Registered;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<NewApplication>(StatusCode::CREATED)
        .header("Cache-Control")
}

/// A new application.
#[derive(Serialize, ToSchema)]
struct NewApplication {
    application: Application,
    /// Its secret, which is shown only here: the `client_secret` of OAuth. A public application has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// Registers an application, which may sign users in by OAuth 2.1 and OpenID Connect. If the answer is lost, delete the
/// application and register it again: nobody can see its secret.
#[utoipa::path(post, path = "/v1/applications")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Admin>,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, NoStore, Json<NewApplication>)> {
    require_own_session(&user)?;
    let now = state.clock.now();
    let application = registration.registered(&state.ids, now);
    let application =
        application.map_err(|(field, detail)| Problem::of(INVALID_BODY).field(field, detail))?;
    let is_confidential = application.kind == ApplicationKind::Confidential;
    let secret = is_confidential.then(Secret::generate).transpose()?;
    let registered = Registered::new(application, user.user, secret.as_ref(), now);
    state.users.add_application(&registered).await?;
    let application = registered.application;
    tracing::info!(user_id = %user.user, application = %application.id, "registered an application");
    let client_secret = secret.map(|secret| secret.expose().to_owned());
    Ok((StatusCode::CREATED, NO_STORE, Json(NewApplication { application, client_secret })))
}
