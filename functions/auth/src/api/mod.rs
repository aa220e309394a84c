//! The HTTP endpoints.

pub mod accept_invitation;
pub mod add_passkey;
mod api_keys;
pub mod authorize_device;
pub mod begin_passkey;
pub mod begin_passkey_sign_in;
mod caller;
pub mod change_password;
mod client;
pub(crate) mod codes;
pub mod confirm;
pub mod confirm_totp;
pub mod create_api_key;
pub mod create_application;
pub mod create_tenant;
pub(crate) mod current_password;
pub mod delete_application;
pub mod delete_me;
pub mod end_session;
pub mod end_sessions;
pub mod enrol_totp;
pub mod export_me;
pub mod forgot_password;
pub mod get_configuration;
pub mod get_keys;
pub mod get_me;
pub mod get_totp;
pub mod get_userinfo;
pub mod give_role;
mod identities;
pub mod introspect;
mod invitations;
pub mod invite;
pub(crate) mod links;
pub mod list_api_keys;
pub mod list_applications;
pub mod list_audit;
pub mod list_identities;
pub mod list_invitations;
pub mod list_members;
pub mod list_passkeys;
pub mod list_sessions;
pub mod list_tenants;
pub mod login;
pub mod login_code;
pub mod login_passkey;
pub mod logout;
pub(crate) mod passkeys;
pub(crate) mod recent;
pub mod refresh;
pub mod register;
pub mod remove_identity;
pub mod remove_member;
pub mod remove_passkey;
pub mod remove_totp;
pub mod renew_recovery_codes;
pub mod renew_secret;
pub mod reset_password;
pub mod revoke;
pub mod revoke_api_key;
pub mod revoke_invitation;
pub mod rotate_api_key;
pub(crate) mod sign_in;
pub mod switch_tenant;
mod tenants;
pub mod token;
mod tokens;

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use shared::Result;
use shared::http::contract::Operation;
use shared::http::rate_limit::too_many;
use shared::http::{INVALID_BODY, SignedIn, StatusCode};
use shared::id::{SessionId, UserId};
use shared::problem::{FORBIDDEN, Problem, ProblemType};
use shared::scopes::Account;

use crate::email::Email;
use crate::password::NewPassword;
use crate::store;
use crate::system::System;
use crate::throttle::Refused;

/// The header of an answer with a secret, which no cache keeps.
type NoStore = [(HeaderName, HeaderValue); 1];
const NO_STORE: NoStore = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// The same whether the address has an account or not, and for a right password.
const PASSWORD_LOCKED: ProblemType =
    ProblemType::new(StatusCode::FORBIDDEN, "password-locked", "The password must be reset");

/// The system's part of the contract.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        authorize_device::operation(),
        change_password::operation(),
        confirm::operation(),
        create_application::operation(),
        delete_application::operation(),
        create_api_key::operation(),
        confirm_totp::operation(),
        delete_me::operation(),
        end_session::operation(),
        end_sessions::operation(),
        enrol_totp::operation(),
        export_me::operation(),
        forgot_password::operation(),
        get_configuration::operation(),
        get_keys::operation(),
        get_me::operation(),
        get_userinfo::operation(),
        introspect::operation(),
        list_applications::operation(),
        list_api_keys::operation(),
        get_totp::operation(),
        list_audit::operation(),
        list_identities::operation(),
        list_sessions::operation(),
        add_passkey::operation(),
        begin_passkey::operation(),
        begin_passkey_sign_in::operation(),
        list_passkeys::operation(),
        login_passkey::operation(),
        remove_passkey::operation(),
        login::operation(),
        login_code::operation(),
        logout::operation(),
        refresh::operation(),
        register::operation(),
        renew_secret::operation(),
        remove_identity::operation(),
        remove_totp::operation(),
        renew_recovery_codes::operation(),
        reset_password::operation(),
        revoke::operation(),
        token::operation(),
        revoke_api_key::operation(),
        rotate_api_key::operation(),
        create_tenant::operation(),
        list_tenants::operation(),
        switch_tenant::operation(),
        list_members::operation(),
        give_role::operation(),
        remove_member::operation(),
        invite::operation(),
        list_invitations::operation(),
        revoke_invitation::operation(),
        accept_invitation::operation(),
    ]
}

/// The session of the request.
///
/// # Errors
/// 401 when its token belongs to none.
fn session_of(user: &SignedIn) -> Result<SessionId, Problem> {
    user.session.ok_or_else(Problem::unauthenticated)
}

/// Requires a session: a program with an API key may not do what would outlive its key.
///
/// # Errors
/// 403 when the token belongs to none.
fn require_session(user: &SignedIn) -> Result<(), Problem> {
    let detail = "Only a user who is signed in may do this, and no API key.";
    user.session.map(drop).ok_or_else(|| Problem::of(FORBIDDEN).detail(detail))
}

/// Requires a session of the user's own: neither an application nor a program with an API key may do what would outlive its
/// own rights.
///
/// # Errors
/// 403 when the token is of an application or of an API key.
fn require_own_session(user: &SignedIn) -> Result<(), Problem> {
    require_session(user)?;
    if user.application.is_none() {
        return Ok(());
    }
    let detail = "Only a user who is signed in by the API may do this, and no application.";
    Err(Problem::of(FORBIDDEN).detail(detail))
}

/// Counts a try of the password for this address, before the password is checked.
///
/// # Errors
/// 429 until the next try is allowed; 403 after too many wrong passwords in a row.
async fn take_try(system: &System, email: &Email) -> Result<()> {
    let taken = system.users.take_try(email, system.clock.now()).await?;
    let Err(refused) = taken else { return Ok(()) };
    tracing::info!(?refused, "too many wrong passwords in a row");
    Err(match refused {
        Refused::Wait(left) => too_many(left),
        Refused::Locked => Problem::of(PASSWORD_LOCKED)
            .detail("There were too many wrong passwords in a row. Reset the password by mail."),
    }
    .into())
}

/// Checks that the new password, in this field of the request, suits the user of the address.
///
/// # Errors
/// 422 `invalid-body` if it consists of the address.
fn check_for(password: &NewPassword, email: &Email, field: &str) -> Result<(), Problem> {
    password
        .check_for(email)
        .map_err(|reason| Problem::of(INVALID_BODY).field(field, reason.to_string()))
}

/// The account of a user.
///
/// # Errors
/// 401 when it does not exist any more.
async fn account_of(state: &System, user: UserId) -> Result<store::Account> {
    Ok(state.users.account(user).await?.ok_or_else(Problem::unauthenticated)?)
}
