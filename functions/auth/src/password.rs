//! Passwords: what is accepted, and how one is kept.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::Result;

/// A password for a new account: 15 to 128 characters, of any kind.
///
/// The lower bound and the lack of composition rules are NIST SP 800-63B-4, section 3.1.1.2, for a
/// password that is the only factor. The upper bound keeps hashing cheap to refuse.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "SecretString")]
pub struct NewPassword(SecretString);

/// Why a text is not taken as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password has 15 to 128 characters")]
pub struct InvalidPassword;

impl TryFrom<SecretString> for NewPassword {
    type Error = InvalidPassword;

    fn try_from(text: SecretString) -> Result<Self, InvalidPassword> {
        match text.expose_secret().chars().count() {
            15..=128 => Ok(Self(text)),
            _ => Err(InvalidPassword),
        }
    }
}

/// A hash of the right cost that belongs to no password: an unknown address is checked against it,
/// so that it takes as long to refuse as a wrong password does.
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cy1zYWx0LTAwMQ\
                            $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes a password with argon2id (m = 19 MiB, t = 2, p = 1, as OWASP advises), off the async
/// threads. Gives a PHC string.
pub async fn hash(password: NewPassword) -> Result<String> {
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.0.expose_secret().as_bytes())
    });
    Ok(hashed.await??.to_string())
}

/// Whether `password` is the one that `stored` was made from; `None` stands for an unknown account
/// and is never right. Both take the same time.
pub async fn verify(password: SecretString, stored: Option<String>) -> Result<bool> {
    let known = stored.is_some();
    let stored = stored.unwrap_or_else(|| NOBODYS_HASH.to_owned());
    let verified = tokio::task::spawn_blocking(move || -> Result<bool> {
        let stored = PasswordHash::new(&stored)?;
        let bytes = password.expose_secret().as_bytes();
        Ok(Argon2::default().verify_password(bytes, &stored).is_ok())
    });
    Ok(verified.await?? && known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> Result<NewPassword, InvalidPassword> {
        NewPassword::try_from(SecretString::from(text))
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let stored = hash(new("correct horse battery").unwrap()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        for (attempt, right) in [
            ("correct horse battery", true),
            ("correct horse batter", false),
            ("Correct horse battery", false),
            ("", false),
        ] {
            assert_eq!(verify(attempt.into(), Some(stored.clone())).await.unwrap(), right);
        }
    }

    #[tokio::test]
    async fn one_password_has_many_hashes() {
        let password = new("correct horse battery").unwrap();
        assert_ne!(hash(password.clone()).await.unwrap(), hash(password).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_account_costs_a_real_hash() {
        assert!(!verify("correct horse battery".into(), None).await.unwrap());
        let real = hash(new("correct horse battery").unwrap()).await.unwrap();
        let cost = |hash: &str| {
            let parsed = PasswordHash::new(hash).unwrap();
            (parsed.algorithm, parsed.version, parsed.params, parsed.hash.unwrap().len())
        };
        assert_eq!(cost(NOBODYS_HASH), cost(&real));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(new(&"é".repeat(15)).is_ok());
        assert!(new(&"é".repeat(128)).is_ok());
        assert!(new(&"a".repeat(14)).is_err());
        assert!(new(&"a".repeat(129)).is_err());
    }

    #[test]
    fn a_password_is_not_printed() {
        let printed = format!("{:?}", new("correct horse battery").unwrap());
        assert!(!printed.contains("horse"), "{printed}");
    }
}
