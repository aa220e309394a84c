//! An attempt to sign in at a provider: what the browser that began it keeps until it comes back, in a cookie that only we can read.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use shared::Result;

use super::ProviderId;
use crate::mac::derived;
use crate::random_token::{Kind, RandomToken};
use crate::seal::SealKey;

/// How long a user has to sign in at the provider.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// What is sealed for no other purpose with the same key.
const PURPOSE: &[u8] = b"attempt";

/// A random text of an attempt.
pub type Random = RandomToken<InAttempt>;

/// The kind of these texts.
#[derive(Debug)]
pub enum InAttempt {}

impl Kind for InAttempt {
    const PREFIX: &'static str = "arsenal_op_";
    const EXPECTED: &'static str = "it is a text that we have sent to a provider";
}

/// Where a browser goes on after a sign-in: what forms repeat, in fields of these names.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GoesOn {
    /// What an application asks for.
    pub request: String,
    /// The code that a device shows.
    pub device: String,
    /// The token of the link of an invitation.
    pub token: String,
    /// The name of a page of ours.
    pub page: String,
}

/// An attempt.
#[derive(Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// The provider.
    pub provider: ProviderId,
    /// What the answer of the browser repeats.
    #[serde(serialize_with = "exposed")]
    state: Random,
    /// What the ID token repeats.
    #[serde(serialize_with = "exposed")]
    nonce: Random,
    /// The secret of PKCE.
    #[serde(serialize_with = "exposed")]
    verifier: Random,
    /// Where the browser goes on.
    pub goes_on: GoesOn,
    /// The second, since 1970, from which on the attempt is of no use.
    pub expires: i64,
}

fn exposed<S: Serializer>(text: &Random, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.expose())
}

impl Attempt {
    /// An attempt that begins at `now`.
    pub fn begin(provider: ProviderId, goes_on: GoesOn, now: Timestamp) -> Result<Self> {
        Ok(Self {
            provider,
            state: Random::generate()?,
            nonce: Random::generate()?,
            verifier: Random::generate()?,
            goes_on,
            expires: (now + LIFETIME).as_second(),
        })
    }

    /// What the answer of the browser repeats.
    #[must_use]
    pub fn state(&self) -> &Random {
        &self.state
    }

    /// Whether the answer of the browser repeats the state. The comparison takes constant time.
    #[must_use]
    pub fn is_state(&self, text: &str) -> bool {
        is_same(self.state.expose(), text)
    }

    /// What the ID token repeats.
    #[must_use]
    pub fn nonce(&self) -> &str {
        self.nonce.expose()
    }

    /// Whether the ID token repeats the nonce. The comparison takes constant time.
    #[must_use]
    pub fn is_nonce(&self, text: &str) -> bool {
        is_same(self.nonce.expose(), text)
    }

    /// The secret of PKCE, and its hash.
    #[must_use]
    pub fn pkce(&self) -> (&str, String) {
        let verifier = self.verifier.expose();
        (verifier, BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())))
    }
}

fn is_same(ours: &str, text: &str) -> bool {
    verify_slices_are_equal(ours.as_bytes(), text.as_bytes()).is_ok()
}

/// The key that seals attempts.
pub struct AttemptKey(SealKey);

impl AttemptKey {
    /// The key that follows from the random bytes of the key of refresh tokens, so that both end in an emergency.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        Ok(Self(SealKey::new(&*derived(bytes, "attempt at a provider")?)?))
    }

    /// The attempt as a text that nobody else can read.
    pub fn write(&self, attempt: &Attempt) -> Result<SecretString> {
        let sealed = self.0.seal(PURPOSE, &serde_json::to_vec(attempt)?)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed).into())
    }

    /// The attempt, if this key made the text and it has not expired at `now`.
    #[must_use]
    pub fn read(&self, text: &str, now: Timestamp) -> Option<Attempt> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let content = self.0.open(PURPOSE, &sealed)?;
        let attempt: Attempt = serde_json::from_slice(&content).ok()?;
        (now.as_second() < attempt.expires).then_some(attempt)
    }
}

/// A text is sealed, so its length tells how long it is.
#[must_use]
pub fn fits_in_a_cookie(text: &SecretString) -> bool {
    // RFC 6265bis, section 5.6: the name and the value have at most 4,096 bytes.
    text.expose_secret().len() <= 4_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00.999Z".parse().unwrap()
    }

    fn attempt() -> Attempt {
        let provider = ProviderId::try_from("google".to_owned()).unwrap();
        let goes_on = GoesOn { request: "client_id=x".into(), ..GoesOn::default() };
        Attempt::begin(provider, goes_on, now()).unwrap()
    }

    #[test]
    fn an_attempt_is_read_until_it_expires_to_the_second() {
        let (key, attempt) = (AttemptKey::new(&[1; 32]).unwrap(), attempt());
        let text = key.write(&attempt).unwrap();
        let read = |at| key.read(text.expose_secret(), at);
        let end: Timestamp = "2026-11-21T10:10:00Z".parse().unwrap();
        let same = read(end - Duration::from_millis(1)).unwrap();
        assert_eq!(same.pkce(), attempt.pkce());
        assert!(same.is_state(attempt.state().expose()) && same.is_nonce(attempt.nonce()));
        assert_eq!(same.goes_on.request, "client_id=x");
        assert!(read(end).is_none());
    }

    #[test]
    fn nobody_reads_or_alters_an_attempt() {
        let (key, attempt) = (AttemptKey::new(&[1; 32]).unwrap(), attempt());
        let text = key.write(&attempt).unwrap();
        assert!(AttemptKey::new(&[2; 32]).unwrap().read(text.expose_secret(), now()).is_none());
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.expose_secret()).unwrap();
        let has = |part: &str| bytes.windows(part.len()).any(|it| it == part.as_bytes());
        assert!(!has("google") && !has(attempt.state().expose()) && !has("client_id"));
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            for text in [&altered[..], &bytes[..at]] {
                assert!(key.read(&BASE64_URL_SAFE_NO_PAD.encode(text), now()).is_none(), "{at}");
            }
        }
    }

    #[test]
    fn the_texts_of_an_attempt_are_unlike() {
        let (one, other) = (attempt(), attempt());
        assert!(!one.is_state(other.state().expose()) && !one.is_state(one.nonce()));
        assert!(!one.is_nonce(one.state().expose()) && !one.is_state(""));
        assert_ne!(one.pkce().0, one.nonce());
        assert!((43..=128).contains(&one.pkce().0.len()), "RFC 7636, section 4.1");
    }
}
