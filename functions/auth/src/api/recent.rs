//! A recent sign-in, which a user with a second factor needs to add or to remove one.

use shared::Result;
use shared::http::StatusCode;
use shared::id::SessionId;
use shared::problem::{Problem, ProblemType};

use super::codes::forgive;
use crate::passkey::RECENT;
use crate::store::Account;
use crate::system::System;

pub(crate) const SIGN_IN_TOO_OLD: ProblemType =
    ProblemType::new(StatusCode::FORBIDDEN, "sign-in-too-old", "Sign in again");

/// Requires that a user who has given the right password, and has a second factor, has signed in
/// within [`RECENT`], which has needed the second factor. Otherwise
/// whoever has a session and the password could add a second factor beside the one of the user. A user without one needs no more
/// than the password.
///
/// # Errors
/// 403 after an older sign-in.
pub(super) async fn require_recent(
    state: &System,
    session: Option<SessionId>,
    account: &Account,
) -> Result<()> {
    if !account.has_second_factor() {
        return Ok(());
    }
    let session = session.ok_or_else(Problem::unauthenticated)?;
    let session = state.users.session(account.user.id, session).await?;
    let now = state.clock.now();
    if session.is_some_and(|session| now < session.created_at + RECENT) {
        // The password is right, and the sign-in has needed the second factor.
        forgive(state, &account.user.email).await;
        return Ok(());
    }
    let detail =
        "You have a second factor, and signed in more than ten minutes ago. Sign in again.";
    Err(Problem::of(SIGN_IN_TOO_OLD).detail(detail).into())
}
