//! `POST /v1/me/recovery-codes`

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::{Extension, Router};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::limited;
use shared::http::{Allowed, Json, StatusCode};

use super::NO_STORE;
use super::account_of;
use super::codes::{
    PasswordAndCode, RecoveryCodes, forgive, proved, second_factor_off, with_code, wrong_code,
};
use super::current_password::{self, checked};
use super::{Account, take_try};
use crate::session::Client;
use crate::store::CodesMade;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = current_password::limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    with_code(contract::operation!(handle))
        .answers::<RecoveryCodes>(StatusCode::OK)
        .header("Cache-Control")
}

/// Makes ten new recovery codes, which replace all former ones. A wrong current password and a wrong code count as failed
/// sign-ins.
#[utoipa::path(post, path = "/v1/me/recovery-codes")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    user: Allowed<Account>,
    client: Client,
    Json(PasswordAndCode { current_password, code }): Json<PasswordAndCode>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<RecoveryCodes>)> {
    let issuer = issuers.current().await?;
    let keys = issuer.factors()?;
    let email = account_of(&state, user.user).await?.user.email;
    take_try(&state, &email).await?;
    let account = checked(&state, user.user, current_password).await?;
    let proved = proved(&state, keys, &account, &code).await?;
    let (totp, proof) = proved.ok_or_else(second_factor_off)?;
    let (codes, hashes) = RecoveryCodes::generate(keys, user.user)?;
    let (made, attempt) = (CodesMade { at: state.clock.now(), client }, state.ids.next());
    if !state.users.renew_codes((&totp, &proof), hashes, &made, attempt).await? {
        return Err(wrong_code().into());
    }
    forgive(&state, &email).await;
    tracing::info!(user_id = %user.user, "recovery codes replaced");
    Ok((NO_STORE, Json(codes)))
}
