//! Random texts that give access: links in mails, and the codes and secrets of applications.
//!
//! **Guarantees.** A text has 256 random bits, so nobody guesses it, and its hash needs no salt and no stretching. The table
//! has only the hash. A text of one kind is never accepted as one of another kind.

use std::fmt;
use std::marker::PhantomData;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use shared::Result;

const BYTES: usize = 32;

/// What a text is for.
pub trait Kind {
    /// The beginning of each text, so that scanners for leaked secrets can find one.
    const PREFIX: &'static str;
    /// What a caller reads who sends something else.
    const EXPECTED: &'static str;
}

/// A random text of one kind. It is never printed.
pub struct RandomToken<K> {
    text: SecretString,
    kind: PhantomData<fn() -> K>,
}

/// The text is none of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidToken(&'static str);

impl<K: Kind> RandomToken<K> {
    /// A new text.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; BYTES];
        aws_lc_rs::rand::fill(&mut bytes)?;
        let text = format!("{}{}", K::PREFIX, BASE64_URL_SAFE_NO_PAD.encode(bytes));
        Ok(Self { text: text.into(), kind: PhantomData })
    }

    /// The hash under which the table knows the text.
    #[must_use]
    pub fn hash(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, self.expose().as_bytes()))
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

impl<K: Kind> TryFrom<SecretString> for RandomToken<K> {
    type Error = InvalidToken;

    fn try_from(text: SecretString) -> Result<Self, InvalidToken> {
        let secret = text.expose_secret().strip_prefix(K::PREFIX);
        match secret.map(|secret| BASE64_URL_SAFE_NO_PAD.decode(secret)) {
            Some(Ok(bytes)) if bytes.len() == BYTES => Ok(Self { text, kind: PhantomData }),
            _ => Err(InvalidToken(K::EXPECTED)),
        }
    }
}

impl<'de, K: Kind> Deserialize<'de> for RandomToken<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = SecretString::deserialize(deserializer)?;
        Self::try_from(text).map_err(de::Error::custom)
    }
}

impl<K> Clone for RandomToken<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}

impl<K: Kind> fmt::Debug for RandomToken<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", K::PREFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Test {}
    impl Kind for Test {
        const PREFIX: &'static str = "arsenal_test_";
        const EXPECTED: &'static str = "it is a test";
    }
    type TestToken = RandomToken<Test>;

    fn read(text: &str) -> Result<TestToken, InvalidToken> {
        TestToken::try_from(SecretString::from(text))
    }

    #[test]
    fn a_token_is_read_back_and_is_like_no_other() {
        let [one, other] = [TestToken::generate().unwrap(), TestToken::generate().unwrap()];
        let again = read(one.expose()).unwrap();
        assert_eq!((again.expose(), again.hash()), (one.expose(), one.hash()));
        assert_ne!((one.expose(), one.hash()), (other.expose(), other.hash()));
        assert!(!one.hash().contains(&one.expose()[Test::PREFIX.len()..]));
    }

    #[test]
    fn a_text_that_is_no_token_is_refused() {
        let token = TestToken::generate().unwrap();
        let token = token.expose();
        let (short, long, other) =
            (&token[..55], format!("{token}A"), token.replace("_test_", "_rt_"));
        let padded = format!("{token}=");
        for text in ["", Test::PREFIX, short, &long, &other, &padded, &token.to_uppercase(), "\0"] {
            assert_eq!(read(text).unwrap_err().to_string(), "it is a test", "{text:?}");
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let token = TestToken::generate().unwrap();
        assert_eq!(format!("{token:?}"), "arsenal_test_…");
    }
}
