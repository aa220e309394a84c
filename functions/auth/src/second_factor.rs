//! Second factors: the rules. A user has a secret in an authenticator app (TOTP, RFC 6238), and recovery codes on paper.
//!
//! A sign-in with the right password gets a [`Challenge`] instead of tokens, and the tokens for the challenge and a [`Code`].
//!
//! **Guarantees.**
//!
//! - A code is good once ([`Proof`]): of a secret, no code is accepted that is not later than the last accepted one
//!   (RFC 6238, section 5.2). A recovery code is removed when it is accepted.
//! - The clock of the app may be one step of 30 s behind or ahead. So three codes of a million are right at a time.
//! - A challenge is good for [`challenge::LIFETIME`], until the password changes or the user signs out everywhere.
//! - The table has the secret encrypted, and MACs of the recovery codes. The key is in Secrets Manager. A copy of the table
//!   is of no use without it, and what is one user's cannot be moved to another.

pub mod challenge;
mod code;
mod keys;
pub mod totp;

pub use challenge::{Challenge, ChallengeKey};
pub use code::{Code, InvalidCode, RECOVERY_CODES, RecoveryCode};
pub use keys::{FactorKeys, Proof};
pub use totp::Secret;

use std::time::Duration;

use crate::throttle;

/// How long a new secret can be confirmed.
pub const ENROLMENT: Duration = Duration::from_hours(1);
/// The wrong codes in a row after which only a recovery code is accepted. Unlike the [tries](crate::throttle) of the
/// password, they are not forgotten after a reset of the password by mail: a second factor protects those, too, whose mail
/// others read. NIST SP 800-63B-4, section 3.2.2, allows at most 100.
pub const MOST_WRONG: u32 = throttle::MOST;
