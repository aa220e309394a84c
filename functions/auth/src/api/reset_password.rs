//! `POST /v1/auth/reset-password`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};

use super::check_for;
use super::links::{ChosenPassword, INVALID_LINK, confirmations, invalid_link};
use crate::link::Purpose;
use crate::password;
use crate::session::Client;
use crate::store::{How, PasswordSet, Used};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = confirmations(&state);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers_nothing(StatusCode::NO_CONTENT)
        .refuses(&[INVALID_LINK])
}

/// Sets the password of the account that the link was sent for, and ends all its sessions.
#[utoipa::path(post, path = "/v1/auth/reset-password")]
async fn handle(
    State(state): State<System>,
    client: Client,
    Json(chosen): Json<ChosenPassword>,
) -> Result<StatusCode> {
    reset(&state, chosen, client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Resets the password of a link.
pub(crate) async fn reset(state: &System, chosen: ChosenPassword, client: Client) -> Result<()> {
    let ChosenPassword { token, password } = chosen;
    let (now, attempt) = (state.clock.now(), state.ids.next());
    let link = state.users.link(&token, now).await?.ok_or_else(invalid_link)?;
    let Purpose::Reset { user, epoch } = link.purpose else { return Err(invalid_link().into()) };
    check_for(&password, &link.email, "password")?;
    let new_hash = password::hash(password).await?;
    let set = PasswordSet { at: now, how: How::Reset, client };
    let new = (new_hash.as_str(), &set);
    let used = state.users.reset_password(&token, (user, epoch), &link.email, new, attempt).await?;
    if used != Used::Made {
        return Err(invalid_link().into());
    }
    tracing::info!(user_id = %user, "password reset");
    Ok(())
}
