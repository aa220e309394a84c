//! `POST /v1/me/totp/removal`

use axum::extract::State;
use axum::{Extension, Router};
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::limited;
use shared::http::{Allowed, Json, StatusCode};

use super::account_of;
use super::codes::{PasswordAndCode, forgive, proved, second_factor_off, with_code, wrong_code};
use super::current_password::{self, checked};
use super::{Account, take_try};
use crate::session::Client;
use crate::store::{FactorSet, Removed};
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = current_password::limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    with_code(contract::operation!(handle)).answers_nothing(StatusCode::NO_CONTENT)
}

/// Removes the second factor and its recovery codes. From now on a sign-in needs the password alone. A wrong current
/// password and a wrong code count as failed sign-ins.
#[utoipa::path(post, path = "/v1/me/totp/removal")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    user: Allowed<Account>,
    client: Client,
    Json(PasswordAndCode { current_password, code }): Json<PasswordAndCode>,
) -> Result<StatusCode> {
    let issuer = issuers.current().await?;
    let email = account_of(&state, user.user).await?.user.email;
    take_try(&state, &email).await?;
    retried(async || {
        let account = checked(&state, user.user, current_password.clone()).await?;
        if !account.has_totp() {
            return Err(second_factor_off().into());
        }
        let proved = proved(&state, issuer.factors()?, &account, &code).await?;
        let (totp, proof) = proved.ok_or_else(second_factor_off)?;
        let set = FactorSet { is_on: false, at: state.clock.now(), client: client.clone() };
        let attempt = state.ids.next();
        match state.users.remove_totp(&account, (&totp, &proof), &set, attempt).await? {
            Removed::Made => Ok(Some(())),
            Removed::Account => Ok(None),
            Removed::Code => Err(wrong_code().into()),
        }
    })
    .await?;
    forgive(&state, &email).await;
    tracing::info!(user_id = %user.user, "second factor removed");
    Ok(StatusCode::NO_CONTENT)
}
