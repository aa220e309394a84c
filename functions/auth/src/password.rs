//! Passwords: rules, hashing and verification.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::Result;
use utoipa::ToSchema;

/// A password for a new account: 15 to 128 characters, of any kind.
///
/// NIST SP 800-63B-4, section 3.1.1.2, requires the lower bound for a password that is the only factor, and
/// forbids composition rules. The upper bound limits the input of the hash.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "SecretString")]
#[schema(value_type = String, format = Password, min_length = 15, max_length = 128)]
pub struct NewPassword(SecretString);

/// The text is not accepted as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password has 15 to 128 characters")]
pub struct InvalidPassword;

impl NewPassword {
    /// The minimum length of a password, in characters.
    pub const MIN: usize = 15;
    /// The maximum length of a password, in characters.
    pub const MAX: usize = 128;
}

impl TryFrom<SecretString> for NewPassword {
    type Error = InvalidPassword;

    fn try_from(text: SecretString) -> Result<Self, InvalidPassword> {
        match text.expose_secret().chars().count() {
            Self::MIN..=Self::MAX => Ok(Self(text)),
            _ => Err(InvalidPassword),
        }
    }
}

/// A hash of no password, with the cost of a real hash. The password for an unknown address is checked
/// against it, so that both refusals take the same time.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cy1zYWx0LTAwMQ\
                            $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes a password with argon2id (m = 19 MiB, t = 2, p = 1, as OWASP advises), on a blocking thread. Gives
/// a PHC string.
pub async fn hash(password: NewPassword) -> Result<String> {
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.0.expose_secret().as_bytes())
    });
    Ok(hashed.await??.to_string())
}

/// Whether `stored` is a hash of `password`. `None` means an unknown account, and gives `false` after the
/// same time.
pub async fn verify(password: SecretString, stored: Option<String>) -> Result<bool> {
    let known = stored.is_some();
    let stored = stored.unwrap_or_else(|| DUMMY_HASH.to_owned());
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
    async fn only_the_same_password_is_accepted() {
        let stored = hash(new("correct horse battery").unwrap()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        for (attempt, is_right) in [
            ("correct horse battery", true),
            ("correct horse batter", false),
            ("Correct horse battery", false),
            ("", false),
        ] {
            assert_eq!(verify(attempt.into(), Some(stored.clone())).await.unwrap(), is_right);
        }
    }

    #[tokio::test]
    async fn hashes_of_one_password_differ() {
        let password = new("correct horse battery").unwrap();
        assert_ne!(hash(password.clone()).await.unwrap(), hash(password).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_account_costs_as_much_as_a_known_one() {
        assert!(!verify("correct horse battery".into(), None).await.unwrap());
        let real = hash(new("correct horse battery").unwrap()).await.unwrap();
        let cost = |hash: &str| {
            let parsed = PasswordHash::new(hash).unwrap();
            (parsed.algorithm, parsed.version, parsed.params, parsed.hash.unwrap().len())
        };
        assert_eq!(cost(DUMMY_HASH), cost(&real));
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
