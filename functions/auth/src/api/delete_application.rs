//! `DELETE /v1/applications/{application_id}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};
use shared::scopes::Admin;

use super::require_own_session;
use crate::oauth::application::ApplicationId;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers_nothing(StatusCode::NO_CONTENT).refuses(&[NOT_FOUND])
}

/// Deletes an application. Its tokens end with it: they are refused 60 s later at the latest.
#[utoipa::path(delete, path = "/v1/applications/{application_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Admin>,
    Path(id): Path<ApplicationId>,
) -> Result<StatusCode> {
    require_own_session(&user)?;
    if !state.users.delete_application(id, state.ids.next()).await? {
        return Err(Problem::not_found("application").into());
    }
    tracing::info!(user_id = %user.user, application = %id, "deleted an application");
    Ok(StatusCode::NO_CONTENT)
}
