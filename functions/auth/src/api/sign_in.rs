//! What a sign-in consists of: the password, the code if there is a second factor, and the session.

use secrecy::{ExposeSecret, SecretString};
use shared::Result;
use shared::http::StatusCode;
use shared::problem::{Problem, ProblemType};

use super::codes::{forgive, proved, wrong_code};
use super::take_try;
use crate::email::Email;
use crate::password;
use crate::second_factor::{Challenge, Code};
use crate::session::{Client, Session};
use crate::store::Account;
use crate::system::System;
use crate::token::Issuer;

/// The same for an unknown address and a wrong password, so that it does not reveal which addresses have
/// an account.
pub(crate) const INVALID_CREDENTIALS: ProblemType = ProblemType::new(
    StatusCode::UNAUTHORIZED,
    "invalid-credentials",
    "The e-mail address or the password is wrong",
);

/// The same for each reason, which is in the log only.
pub(crate) const INVALID_CHALLENGE: ProblemType = ProblemType::new(
    StatusCode::UNAUTHORIZED,
    "invalid-challenge",
    "The sign-in has expired: begin again",
);

/// What a right password gives.
pub(crate) enum Checked {
    /// The account, which needs no code.
    Account(Box<Account>),
    /// A challenge, to be answered with a code, or with a passkey.
    Challenge {
        /// The challenge.
        challenge: Challenge,
        /// Whether the user has passkeys.
        has_passkeys: bool,
    },
}

/// Checks the password for an address.
///
/// # Errors
/// 401 for an unknown address and for a wrong password; 429 and 403 after too many wrong ones.
pub(crate) async fn checked_password(
    system: &System,
    email: &Email,
    password: SecretString,
) -> Result<Checked> {
    // Up to the refusal, known and unknown addresses cost the same requests and one hash.
    take_try(system, email).await?;
    let account = system.users.by_email(email).await?;
    let stored = account.as_ref().and_then(|known| known.password_hash.clone());
    let is_right = password::verify(password.clone(), stored).await?;
    let account = account.filter(|_| is_right);
    let account = account.ok_or_else(|| Problem::of(INVALID_CREDENTIALS))?;

    // The try counts until the code is right too, so that whoever knows the password cannot guess codes without end.
    if !account.has_second_factor() {
        system.users.clear_tries(email).await?;
    }
    upgrade(system, &account, password).await?;
    if account.has_second_factor() {
        let challenge = Challenge::new(account.user.id, account.epoch, system.clock.now());
        tracing::info!(user_id = %account.user.id, "the password is right, a second factor is needed");
        let has_passkeys = account.passkeys > 0;
        return Ok(Checked::Challenge { challenge, has_passkeys });
    }
    Ok(Checked::Account(Box::new(account)))
}

/// Checks the code for a challenge, and uses it. Gives the account, in the epoch in which the password was right.
///
/// # Errors
/// 401 for a challenge that is of no use; 422 for a wrong code; 429 and 403 after too many wrong ones.
pub(crate) async fn checked_code(
    system: &System,
    issuer: &Issuer,
    challenge: &SecretString,
    code: &Code,
) -> Result<Account> {
    let challenge = issuer.challenges().read(challenge.expose_secret(), system.clock.now());
    let challenge = challenge.ok_or_else(|| ended("not one of ours, or expired"))?;
    let account = system.users.account(challenge.user).await?;
    let account = account.filter(|account| account.epoch == challenge.epoch);
    let account = account.ok_or_else(|| ended("the account has changed"))?;
    if !account.has_second_factor() {
        return Err(ended("the second factor is off").into());
    }
    take_try(system, &account.user.email).await?;
    let proved = proved(system, issuer.factors()?, &account, code).await?;
    let (totp, proof) = proved.ok_or_else(|| ended("there is no second factor"))?;
    if !system.users.use_code(&totp, &proof, system.ids.next()).await? {
        return Err(wrong_code().into());
    }
    forgive(system, &account.user.email).await;
    Ok(account)
}

/// Begins a session, in the epoch of the password that was checked: a change of the password meanwhile ends it. If the account that
/// was checked has a second factor, the user has given it.
pub(crate) async fn begun(system: &System, account: &Account, client: Client) -> Result<Session> {
    let (user, now) = (&account.user, system.clock.now());
    let session = Session::begun(system.ids.next(), user, account.epoch, client, now)
        .with_second_factor(account.has_second_factor());
    system.users.begin_session(&session).await?;
    tracing::info!(user_id = %user.id, session_id = %session.id, "signed in");
    Ok(session)
}

pub(super) fn ended(reason: &'static str) -> Problem {
    tracing::info!(reason, "challenge refused");
    Problem::of(INVALID_CHALLENGE)
}

/// Replaces a hash with former parameters. If that fails, the next sign-in does it.
async fn upgrade(system: &System, account: &Account, password: SecretString) -> Result<()> {
    let Some(current) = &account.password_hash else { return Ok(()) };
    if let Some(hash) = password::upgraded(password, current).await? {
        let user_id = account.user.id;
        match system.users.replace_hash(account, &hash).await {
            Ok(is_replaced) => tracing::info!(%user_id, is_replaced, "hash with former parameters"),
            Err(error) => tracing::warn!(%user_id, error = error.trail(), "hash is not replaced"),
        }
    }
    Ok(())
}
