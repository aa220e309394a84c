//! Passwords: rules, hashing and verification.
//!
//! **Guarantees.**
//!
//! - A password is the same in every Unicode form: it is brought to NFC before it is counted and before it is hashed,
//!   when it is set and when it is checked (NIST SP 800-63B-4, section 3.1.1.2; UAX #15, section 12.1).
//! - A new password has 15 to 128 code points, and is not one that guessers try first: common words, sequences and
//!   repetitions, and the user's own address ([`NewPassword::check_for`]).
//! - A check costs one hash of at most 512 bytes, for any text, and whether there is an account or not.
//! - A hash with other parameters than today's is replaced when its password is checked: [`upgraded`].

mod guessable;

use std::fmt::Debug;
use std::ops::RangeInclusive;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::Result;
use utoipa::ToSchema;

use crate::email::Email;
use crate::unicode::{is_assigned, nfc};

/// The length of a new password, in code points.
///
/// NIST SP 800-63B-4, section 3.1.1.2, requires the lower bound for a password that is the only factor. The upper bound
/// limits the input of the hash.
pub(crate) const LENGTH: RangeInclusive<usize> = 15..=128;
/// No spelling of 128 code points in NFC has more bytes: a code point has at most 4 bytes, and another form of it
/// three times as many.
pub(crate) const MAX_SPELLING_BYTES: usize = 128 * 4 * 3;

/// A password for an account: 15 to 128 characters of any kind, in NFC.
///
/// It is refused if it can be guessed: if it is made of common words, sequences, rows of a keyboard or repetitions.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "SecretString")]
#[schema(value_type = String, format = Password, min_length = 15, max_length = 128)]
pub struct NewPassword(SecretString);

/// Why a text is not accepted as a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// It is too short or too long.
    #[error("a password has 15 to 128 characters")]
    Length,
    /// It has a control character, or a code point that Unicode has not assigned, whose normal form may change.
    #[error("a password has no control characters, such as a tab or a line break")]
    Character,
    /// It repeats a few characters.
    #[error("it repeats a few characters, so it is easy to guess: use several words instead")]
    Repetition,
    /// It consists of what many people use.
    #[error(
        "it consists of common words, numbers or keys in a row, so it is easy to guess: \
         add words that others would not think of"
    )]
    Common,
    /// It consists of the user's own address.
    #[error("it consists of your e-mail address, so it is easy to guess: use other words")]
    Address,
}

impl TryFrom<SecretString> for NewPassword {
    type Error = InvalidPassword;

    fn try_from(text: SecretString) -> Result<Self, InvalidPassword> {
        let text = normal(&text).ok_or(InvalidPassword::Length)?;
        let password = text.expose_secret();
        if password.chars().count() < *LENGTH.start() {
            return Err(InvalidPassword::Length);
        }
        if password.chars().any(|c| c.is_control() || !is_assigned(c)) {
            return Err(InvalidPassword::Character);
        }
        if guessable::is_repetitive(password) {
            return Err(InvalidPassword::Repetition);
        }
        if guessable::is_made_of(password, &[]) {
            return Err(InvalidPassword::Common);
        }
        Ok(Self(text))
    }
}

impl NewPassword {
    /// Whether the password suits the user of this address. It must not consist of the address and of what
    /// everybody uses.
    ///
    /// # Errors
    /// [`InvalidPassword::Address`] if it does.
    pub fn check_for(&self, email: &Email) -> Result<(), InvalidPassword> {
        if guessable::is_made_of(self.0.expose_secret(), &email.words()) {
            return Err(InvalidPassword::Address);
        }
        Ok(())
    }
}

/// The text in NFC, or `None` if it is longer than a password can be. Normalizes no more than 1,536 bytes.
fn normal(text: &SecretString) -> Option<SecretString> {
    let text = text.expose_secret();
    let text = (text.len() <= MAX_SPELLING_BYTES).then(|| nfc(text))?;
    (text.chars().count() <= *LENGTH.end()).then(|| text.into())
}

/// A hash of no password, with the cost of a real hash. The password for an unknown address is checked
/// against it, so that both refusals take the same time.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cy1zYWx0LTAwMQ\
                            $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes a password with argon2id (m = 19 MiB, t = 2, p = 1, as OWASP advises), on a blocking thread. Gives
/// a PHC string.
pub async fn hash(password: NewPassword) -> Result<String> {
    hashed(password.0).await
}

async fn hashed(normal: SecretString) -> Result<String> {
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(normal.expose_secret().as_bytes())
    });
    Ok(hashed.await??.to_string())
}

/// Whether `stored` is a hash of `password`. `None` means an unknown account. Each answer takes the same time.
pub async fn verify(password: SecretString, stored: Option<String>) -> Result<bool> {
    let normal = normal(&password);
    let is_possible = stored.is_some() && normal.is_some();
    // A text that is no password costs as much as the empty one.
    let (normal, stored) =
        (normal.unwrap_or_default(), stored.unwrap_or_else(|| DUMMY_HASH.to_owned()));
    let verified = tokio::task::spawn_blocking(move || -> Result<bool> {
        let stored = PasswordHash::new(&stored)?;
        let bytes = normal.expose_secret().as_bytes();
        Ok(Argon2::default().verify_password(bytes, &stored).is_ok())
    });
    Ok(verified.await?? && is_possible)
}

/// A hash of `password` with today's parameters, if `stored` has others. `stored` is a hash of this password.
pub async fn upgraded(password: SecretString, stored: &str) -> Result<Option<String>> {
    let is_current = parameters(stored)? == parameters(DUMMY_HASH)?;
    match normal(&password) {
        Some(normal) if !is_current => Ok(Some(hashed(normal).await?)),
        _ => Ok(None),
    }
}

/// What a hash is made with: the algorithm, its version, its parameters, and the length of the hash in bytes.
fn parameters(hash: &str) -> Result<impl PartialEq + Debug> {
    let hash = PasswordHash::new(hash)?;
    let length = hash.hash.map(|output| output.len());
    Ok((hash.algorithm, hash.version, hash.params, length))
}

#[cfg(test)]
mod tests;
