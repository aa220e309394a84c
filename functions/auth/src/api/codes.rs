//! What endpoints share that ask for a code of a second factor.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::StatusCode;
use shared::http::contract::Operation;
use shared::id::UserId;
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::current_password;
use crate::email::Email;
use crate::second_factor::{Code, FactorKeys, Proof, RECOVERY_CODES, RecoveryCode};
use crate::store::{Account, Totp, Tried};
use crate::system::System;

/// The same for a code of the app and for a recovery code, and for a code that was right and is used.
pub(crate) const WRONG_CODE: ProblemType =
    ProblemType::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-code", "The code is wrong or used");
pub(crate) const SECOND_FACTOR_LOCKED: ProblemType = ProblemType::new(
    StatusCode::FORBIDDEN,
    "second-factor-locked",
    "Only a recovery code is accepted",
);
pub(super) const SECOND_FACTOR_ON: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "second-factor-on", "The second factor is on");
pub(super) const SECOND_FACTOR_OFF: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "second-factor-off", "The second factor is not on");

/// What a change of a second factor needs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordAndCode {
    /// The current password.
    #[schema(value_type = String, format = Password)]
    pub(super) current_password: SecretString,
    pub(super) code: Code,
}

/// The operation with the limit, and the refusals of a password and of a code.
pub(super) fn with_code(operation: Operation) -> Operation {
    current_password::described(operation).refuses(&[
        SECOND_FACTOR_OFF,
        WRONG_CODE,
        SECOND_FACTOR_LOCKED,
    ])
}

/// Recovery codes, which no later answer has.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// Ten codes, each good once instead of a code of the app.
    #[schema(min_items = 10, max_items = 10)]
    recovery_codes: Vec<String>,
}

impl RecoveryCodes {
    /// The codes as people read them.
    pub(crate) fn shown(&self) -> &[String] {
        &self.recovery_codes
    }

    /// New codes of a user, and their MACs.
    pub(super) fn generate(keys: &FactorKeys, user: UserId) -> Result<(Self, Vec<String>)> {
        let codes = (0..RECOVERY_CODES).map(|_| RecoveryCode::generate());
        let codes = codes.collect::<Result<Vec<_>>>()?;
        let hashes = codes.iter().map(|code| keys.hash(user, code)).collect();
        let shown = codes.iter().map(|code| code.shown().expose_secret().to_owned()).collect();
        Ok((Self { recovery_codes: shown }, hashes))
    }
}

/// The second factor of a user, and what a right code proves, which is not used yet. The try is counted before the code is
/// checked. `None` if the user has no second factor.
///
/// # Errors
/// 422 for a wrong code, and 403 for one of the app after too many wrong ones in a row.
pub(super) async fn proved(
    system: &System,
    keys: &FactorKeys,
    account: &Account,
    code: &Code,
) -> Result<Option<(Totp, Proof)>> {
    let user = account.user.id;
    let totp = match (system.users.try_code(account).await?, code) {
        (Tried::Off, _) => return Ok(None),
        (Tried::Locked(_), Code::Totp(_)) => {
            tracing::warn!(user_id = %user, "too many wrong codes in a row");
            let detail = "There were too many wrong codes in a row. Use a recovery code.";
            return Err(Problem::of(SECOND_FACTOR_LOCKED).detail(detail).into());
        }
        // Nobody can guess one.
        (Tried::Locked(totp), Code::Recovery(_)) | (Tried::Counted(totp), _) => totp,
    };
    let proof = keys.proof(&totp, code, system.clock.now())?.ok_or_else(wrong_code)?;
    Ok(Some((totp, proof)))
}

/// The refusal of a code.
pub(super) fn wrong_code() -> Problem {
    Problem::of(WRONG_CODE).field("code", "it is wrong, or was used")
}

/// The refusal of a request that needs a second factor.
pub(super) fn second_factor_off() -> Problem {
    Problem::of(SECOND_FACTOR_OFF).detail("Set it up with POST /v1/me/totp.")
}

/// The refusal of an enrolment beside a second factor.
pub(super) fn second_factor_on() -> Problem {
    Problem::of(SECOND_FACTOR_ON)
        .detail("Remove it with POST /v1/me/totp/removal before you set up another one.")
}

/// Forgets the failures for this address, after a right password and a right code. The code is used, so a failure to forget
/// refuses nothing; the next sign-in forgets them.
pub(super) async fn forgive(system: &System, email: &Email) {
    if let Err(error) = system.users.clear_tries(email).await {
        tracing::warn!(error = error.trail(), "the tries of a password are not cleared");
    }
}
