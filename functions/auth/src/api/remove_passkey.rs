//! `POST /v1/me/passkeys/{passkey_id}/removal`

use axum::Router;
use axum::extract::State;
use secrecy::SecretString;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::limited;
use shared::http::{Allowed, Json, Path, StatusCode};
use utoipa::ToSchema;

use super::passkeys::{By, OF_REMOVAL};
use super::{Account, current_password, require_own_session, session_of};
use crate::passkey::PasskeyId;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = current_password::limit(&state);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    current_password::described(contract::operation!(handle))
        .answers_nothing(StatusCode::NO_CONTENT)
        .refuses(&OF_REMOVAL)
}

/// What a removal needs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyRemoval)]
struct Removal {
    /// The current password.
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
}

/// Removes a passkey. The user must have signed in within the last ten minutes. With the last second factor the recovery codes
/// end, and a sign-in needs the password alone. Sessions go on. A wrong current password counts as a failed sign-in.
#[utoipa::path(post, path = "/v1/me/passkeys/{passkey_id}/removal")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(id): Path<PasskeyId>,
    Json(Removal { current_password }): Json<Removal>,
) -> Result<StatusCode> {
    require_own_session(&user)?;
    let by = By { user: user.user, session: session_of(&user)? };
    by.removes(&state, id, current_password).await?;
    Ok(StatusCode::NO_CONTENT)
}
