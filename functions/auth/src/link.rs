//! Links in mails: the rules.
//!
//! A link proves that its user reads the mail of an address. It ends with a token, which a later request presents with a
//! new password.
//!
//! **Guarantees.**
//!
//! - A token is good once, for [`LIFETIME`], and for one purpose.
//! - The table has a hash of each token and not the token. A token has 256 random bits, so the hash needs no salt and no
//!   stretching.
//! - A link to reset a password is of no use after any change of the password, or end of all sessions.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::UserId;
use utoipa::ToSchema;

use crate::email::Email;

/// How long a link can be used.
pub const LIFETIME: Duration = Duration::from_hours(1);
/// The beginning of each token, so that scanners for leaked secrets can find one.
const PREFIX: &str = "arsenal_ml_";
const BYTES: usize = 32;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum Purpose {
    /// To create an account.
    Register,
    /// To choose a new password.
    Reset {
        /// The user.
        user: UserId,
        /// The user's [`epoch`](crate::store::Account::epoch) when the link was made. Each change of the password, and
        /// each end of all sessions, begins another one.
        epoch: u32,
    },
}

/// What a mail has proved, once its link is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The address that the mail was sent to.
    pub email: Email,
    /// What the link is for.
    #[serde(flatten)]
    pub purpose: Purpose,
    /// The second, since 1970, from which on the link cannot be used. DynamoDB deletes the item some time after.
    pub expires: i64,
}

/// The token at the end of a link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "SecretString")]
#[schema(value_type = String, pattern = "^arsenal_ml_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
    example = "arsenal_ml_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
pub struct LinkToken(SecretString);

/// The text is no token of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is what a link in a mail ends with, from arsenal_ml_ on")]
pub struct InvalidToken;

impl TryFrom<SecretString> for LinkToken {
    type Error = InvalidToken;

    fn try_from(text: SecretString) -> Result<Self, InvalidToken> {
        let secret = text.expose_secret().strip_prefix(PREFIX).ok_or(InvalidToken)?;
        match BASE64_URL_SAFE_NO_PAD.decode(secret) {
            Ok(bytes) if bytes.len() == BYTES => Ok(Self(text)),
            _ => Err(InvalidToken),
        }
    }
}

impl LinkToken {
    /// A new token.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; BYTES];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// The hash under which the table has the link.
    #[must_use]
    pub fn hash(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, self.expose().as_bytes()))
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_is_like_no_other() {
        let [one, other] = [LinkToken::generate().unwrap(), LinkToken::generate().unwrap()];
        let read = LinkToken::try_from(SecretString::from(one.expose())).unwrap();
        assert_eq!((read.expose(), read.hash()), (one.expose(), one.hash()));
        assert_ne!((one.expose(), one.hash()), (other.expose(), other.hash()));
        assert!(!one.hash().contains(&one.expose()[PREFIX.len()..]));
    }

    #[test]
    fn a_text_that_is_no_token_is_refused() {
        let token = LinkToken::generate().unwrap();
        let token = token.expose();
        let (short, long, other) =
            (&token[..53], format!("{token}A"), token.replace("_ml_", "_rt_"));
        let padded = format!("{token}=");
        for text in ["", PREFIX, short, &long, &other, &padded, &token.to_uppercase(), "\u{0}"] {
            assert!(LinkToken::try_from(SecretString::from(text)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let token = LinkToken::generate().unwrap();
        assert!(!format!("{token:?}").contains(&token.expose()[PREFIX.len()..]));
    }
}
