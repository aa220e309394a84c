//! The HTTP endpoints.

pub mod change_password;
mod client;
pub mod confirm;
pub mod end_session;
pub mod end_sessions;
pub mod forgot_password;
pub mod get_me;
pub(crate) mod links;
pub mod list_sessions;
pub mod login;
pub mod logout;
pub mod refresh;
pub mod register;
pub mod reset_password;
mod tokens;

use shared::http::SignedIn;
use shared::http::contract::Operation;
use shared::id::SessionId;
use shared::problem::Problem;
use shared::scopes::Account;

/// The system's part of the contract.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        change_password::operation(),
        confirm::operation(),
        end_session::operation(),
        end_sessions::operation(),
        forgot_password::operation(),
        get_me::operation(),
        list_sessions::operation(),
        login::operation(),
        logout::operation(),
        refresh::operation(),
        register::operation(),
        reset_password::operation(),
    ]
}

/// The session of the request.
///
/// # Errors
/// 401 when its token belongs to none.
fn session_of(user: &SignedIn) -> Result<SessionId, Problem> {
    user.session.ok_or_else(Problem::unauthenticated)
}
