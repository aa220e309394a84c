//! What endpoints share that ask a signed-in user for the current password.

use secrecy::SecretString;
use shared::Result;
use shared::http::StatusCode;
use shared::http::contract::Operation;
use shared::http::rate_limit::{Limit, Subject, Unavailable};
use shared::id::UserId;
use shared::problem::{Problem, ProblemType};

use super::PASSWORD_LOCKED;
use super::account_of;
use crate::password;
use crate::store::Account;
use crate::system::System;

pub(crate) const WRONG_PASSWORD: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "wrong-password",
    "The current password is another one",
);

/// The limit of requests, to all these endpoints together: each hashes a password.
pub(crate) fn limit(state: &System) -> Limit {
    state.per_address("password-changes", 1)
}

/// The operation with the limit and the refusals.
pub(super) fn described(operation: Operation) -> Operation {
    operation
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .refuses(&[WRONG_PASSWORD, PASSWORD_LOCKED])
}

/// The account of a user who knows the current password, which clears the count of tries, if the account needs no code besides.
///
/// # Errors
/// 401 when the account does not exist any more, and 422 for another password.
pub(super) async fn checked(
    state: &System,
    user: UserId,
    current_password: SecretString,
) -> Result<Account> {
    let account = account_of(state, user).await?;
    if !password::verify(current_password, account.password_hash.clone()).await? {
        let detail = match account.password_hash {
            Some(_) => "it is not the current password",
            None => "you have no password yet: choose one with POST /v1/auth/forgot-password",
        };
        return Err(Problem::of(WRONG_PASSWORD).field("current_password", detail).into());
    }
    // Otherwise somebody who has the password could clear the count between guesses of the code.
    if !account.has_second_factor() {
        state.users.clear_tries(&account.user.email).await?;
    }
    Ok(account)
}
