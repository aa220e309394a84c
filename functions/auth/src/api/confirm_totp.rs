//! `POST /v1/me/totp/confirmation`

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::{Extension, Router};
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Json, StatusCode};
use shared::id::SessionId;
use utoipa::ToSchema;

use super::NO_STORE;
use super::codes::{
    RecoveryCodes, SECOND_FACTOR_OFF, SECOND_FACTOR_ON, WRONG_CODE, second_factor_off,
    second_factor_on, wrong_code,
};
use super::recent::{SIGN_IN_TOO_OLD, require_second_factor};
use super::{Account, PASSWORD_LOCKED, require_own_session, session_of, take_try};
use super::{account_of, current_password};
use crate::second_factor::{Code, FactorKeys, Proof};
use crate::session::Client;
use crate::store::{self, FactorSet, Totp};
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = current_password::limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<RecoveryCodes>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[
            SECOND_FACTOR_ON,
            SECOND_FACTOR_OFF,
            WRONG_CODE,
            PASSWORD_LOCKED,
            SIGN_IN_TOO_OLD,
        ])
}

/// A code of the app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    code: Code,
}

/// Puts the second factor in force whose secret was made last: from now on a sign-in needs a code besides the password. The
/// answer has ten recovery codes, for a user who loses the app; no later answer has them. Sessions go on. A wrong code counts
/// as a failed sign-in.
#[utoipa::path(post, path = "/v1/me/totp/confirmation")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    user: Allowed<Account>,
    client: Client,
    Json(Confirmation { code }): Json<Confirmation>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<RecoveryCodes>)> {
    let issuer = issuers.current().await?;
    let keys = issuer.factors()?;
    require_own_session(&user)?;
    let session = session_of(&user)?;
    let (account, _) = enrolled(&state, account_of(&state, user.user).await?, session).await?;
    take_try(&state, &account.user.email).await?;
    let codes = retried(async || {
        let (account, totp) =
            enrolled(&state, account_of(&state, user.user).await?, session).await?;
        let step = confirmed(&state, keys, &totp, &code)?;
        // The enrolment needed the password.
        state.users.clear_tries(&account.user.email).await?;
        let (codes, hashes) = RecoveryCodes::generate(keys, user.user)?;
        let set = FactorSet { is_on: true, at: state.clock.now(), client: client.clone() };
        let attempt = state.ids.next();
        let is_made =
            state.users.confirm_totp(&account, (&totp, step), hashes, &set, attempt).await?;
        Ok(is_made.then_some(codes))
    })
    .await?;
    tracing::info!(user_id = %user.user, "second factor added");
    Ok((NO_STORE, Json(codes)))
}

/// The enrolment of a user that can be confirmed now, in this session.
async fn enrolled(
    state: &System,
    account: store::Account,
    session: SessionId,
) -> Result<(store::Account, Totp)> {
    if account.has_totp() {
        return Err(second_factor_on().into());
    }
    require_second_factor(state, session, &account).await?;
    let totp = state.users.totp(account.user.id).await?;
    let now = state.clock.now();
    let totp = totp.filter(|totp| totp.is_enrolment(account.epoch, now));
    Ok((account, totp.ok_or_else(second_factor_off)?))
}

/// The step of a right code.
fn confirmed(state: &System, keys: &FactorKeys, totp: &Totp, code: &Code) -> Result<i64> {
    match keys.proof(totp, code, state.clock.now())? {
        Some(Proof::Step(step)) => Ok(step),
        // There are no recovery codes yet.
        Some(Proof::Recovery(_)) | None => Err(wrong_code().into()),
    }
}
