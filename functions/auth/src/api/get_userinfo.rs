//! `GET /v1/oauth/userinfo`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use shared::id::UserId;
use utoipa::ToSchema;

use super::account_of;
use crate::email::Email;
use crate::oauth::scope::{EMAIL, OpenId};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<UserInfo>(StatusCode::OK)
}

/// What an application may know of the user.
#[derive(Serialize, ToSchema)]
struct UserInfo {
    /// The user.
    sub: UserId,
    /// The user's address, if the token has the scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Email>,
    /// Always `true`: an account exists only after its address is proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// Tells an application who its user is (OpenID Connect Core 1.0, section 5.3).
#[utoipa::path(get, path = "/v1/oauth/userinfo")]
async fn handle(State(state): State<System>, user: Allowed<OpenId>) -> Result<Json<UserInfo>> {
    let account = account_of(&state, user.user).await?;
    let email = user.require(EMAIL).is_ok().then_some(account.user.email);
    let email_verified = email.as_ref().map(|_| true);
    Ok(Json(UserInfo { sub: account.user.id, email, email_verified }))
}
