//! A recent sign-in with a second factor, which a user who has one needs to add or to remove one.

use shared::Result;
use shared::http::StatusCode;
use shared::id::SessionId;
use shared::problem::{Problem, ProblemType};

use super::codes::forgive;
use crate::passkey::RECENT;
use crate::session::Session;
use crate::store::Account;
use crate::system::System;

pub(crate) const SIGN_IN_TOO_OLD: ProblemType =
    ProblemType::new(StatusCode::FORBIDDEN, "sign-in-too-old", "Sign in again");

/// Requires that a user who has given the right password, and has a second factor, has given that too, at a sign-in within
/// [`RECENT`]. Otherwise whoever has a session and the password could add a second factor beside the one of the user. A user
/// without one needs no more than the password.
///
/// # Errors
/// 403 after an older sign-in, and after one without a second factor.
pub(super) async fn require_recent(
    state: &System,
    session: SessionId,
    account: &Account,
) -> Result<()> {
    let Some(session) = strong(state, session, account).await? else { return Ok(()) };
    if state.clock.now() >= session.created_at + RECENT {
        return Err(too_old().into());
    }
    // The password is right, and the sign-in has needed the second factor.
    forgive(state, &account.user.email).await;
    Ok(())
}

/// Requires the same of the session at the end of an enrolment, but for the time: the user may have got a second factor since it
/// began.
///
/// # Errors
/// 403 for a session that has begun without a second factor.
pub(super) async fn require_second_factor(
    state: &System,
    session: SessionId,
    account: &Account,
) -> Result<()> {
    strong(state, session, account).await.map(|_| ())
}

/// The session, if the account has a second factor.
///
/// # Errors
/// 403 if the session has begun without one.
async fn strong(state: &System, session: SessionId, account: &Account) -> Result<Option<Session>> {
    if !account.has_second_factor() {
        return Ok(None);
    }
    let session = state.users.session(account.user.id, session).await?;
    let session = session.filter(|session| session.has_second_factor).ok_or_else(too_old)?;
    Ok(Some(session))
}

fn too_old() -> Problem {
    let detail = "You have a second factor. Sign in with it, and do this within ten minutes.";
    Problem::of(SIGN_IN_TOO_OLD).detail(detail)
}
