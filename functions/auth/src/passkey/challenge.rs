//! What an authenticator signs, so that its answer is good once and for one purpose. Nothing of it is stored before its use.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use shared::Result;
use shared::id::{SessionId, UserId};

use crate::mac::{MacKey, derived};

/// How long a challenge can be answered.
pub const LIFETIME: Duration = Duration::from_mins(5);
const PREFIX: &str = "arsenal_pc_";
const NONCE: usize = 32;
/// The length of what the MAC covers: the nonce, the purpose with its ids, and the expiry.
const CONTENT: usize = NONCE + 37 + 8;

/// What an answer is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A sign-in of whoever has the passkey.
    SignIn,
    /// The second step of a sign-in, after the password of this user was right in this epoch.
    SecondStep {
        /// The user.
        user: UserId,
        /// The user's [`epoch`](crate::store::Account::epoch).
        epoch: u32,
    },
    /// A new passkey of this user, who has given the password in this session and this epoch.
    Enrolment {
        /// The user.
        user: UserId,
        /// The session.
        session: SessionId,
        /// The user's [`epoch`](crate::store::Account::epoch).
        epoch: u32,
    },
}

/// A challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    nonce: [u8; NONCE],
    /// What the answer is good for.
    pub purpose: Purpose,
    /// The second, since 1970, from which on the challenge is of no use.
    pub expires: i64,
}

impl Challenge {
    /// A new challenge at `now`.
    pub fn new(purpose: Purpose, now: Timestamp) -> Result<Self> {
        let mut nonce = [0; NONCE];
        aws_lc_rs::rand::fill(&mut nonce)?;
        Ok(Self { nonce, purpose, expires: (now + LIFETIME).as_second() })
    }

    /// The name under which the table notes that the challenge was used.
    #[must_use]
    pub fn name(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.nonce)
    }
}

impl Purpose {
    /// The purpose as bytes of one length.
    fn write(&self) -> [u8; 37] {
        let (kind, user, session, epoch) = match *self {
            Self::SignIn => (0, [0; 16], [0; 16], 0),
            Self::SecondStep { user, epoch } => (1, user.to_bytes(), [0; 16], epoch),
            Self::Enrolment { user, session, epoch } => {
                (2, user.to_bytes(), session.to_bytes(), epoch)
            }
        };
        let mut bytes = [0; 37];
        bytes[0] = kind;
        bytes[1..17].copy_from_slice(&user);
        bytes[17..33].copy_from_slice(&session);
        bytes[33..].copy_from_slice(&epoch.to_be_bytes());
        bytes
    }

    fn read(bytes: &[u8; 37]) -> Option<Self> {
        let ([kind], rest) = bytes.split_first_chunk()?;
        let (user, rest) = rest.split_first_chunk()?;
        let (session, rest) = rest.split_first_chunk()?;
        let (user, session) = (UserId::from_bytes(*user), SessionId::from_bytes(*session));
        let epoch = u32::from_be_bytes(*rest.first_chunk()?);
        match kind {
            0 => Some(Self::SignIn),
            1 => Some(Self::SecondStep { user, epoch }),
            2 => Some(Self::Enrolment { user, session, epoch }),
            _ => None,
        }
    }
}

/// The key that makes challenges.
#[derive(Clone)]
pub struct PasskeyKey(MacKey);

impl PasskeyKey {
    /// The key that follows from the random bytes of the key of refresh tokens, so that both end in an emergency.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        Ok(Self(MacKey::new(derived(bytes, "challenge of a passkey")?.as_slice(), PREFIX)))
    }

    /// The challenge as text.
    #[must_use]
    pub fn write(&self, challenge: &Challenge) -> SecretString {
        let purpose = challenge.purpose.write();
        let expires = challenge.expires.to_be_bytes();
        self.0.write(&[&challenge.nonce[..], &purpose, &expires].concat())
    }

    /// The challenge as a browser takes it: the text in base 64.
    #[must_use]
    pub fn encode(&self, challenge: &Challenge) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.write(challenge).expose_secret())
    }

    /// The challenge, if this key made the text and it has not expired at `now`.
    #[must_use]
    pub fn read(&self, text: &str, now: Timestamp) -> Option<Challenge> {
        let content: [u8; CONTENT] = self.0.read(text)?;
        let (nonce, rest) = content.split_first_chunk()?;
        let (purpose, rest) = rest.split_first_chunk()?;
        let purpose = Purpose::read(purpose)?;
        let challenge =
            Challenge { nonce: *nonce, purpose, expires: i64::from_be_bytes(*rest.first_chunk()?) };
        (now.as_second() < challenge.expires).then_some(challenge)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::second_factor::ChallengeKey;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00.999Z".parse().unwrap()
    }

    fn key(byte: u8) -> PasskeyKey {
        PasskeyKey::new(&[byte; 32]).unwrap()
    }

    fn purposes() -> [Purpose; 3] {
        let (user, session) = (UserId::from_bytes([7; 16]), SessionId::from_bytes([8; 16]));
        [
            Purpose::SignIn,
            Purpose::SecondStep { user, epoch: 3 },
            Purpose::Enrolment { user, session, epoch: u32::MAX },
        ]
    }

    #[test]
    fn a_challenge_expires_to_the_second() {
        for purpose in purposes() {
            let challenge = Challenge::new(purpose, now()).unwrap();
            let text = key(1).write(&challenge);
            let read = |at| key(1).read(text.expose_secret(), at);
            let last = "2026-11-21T10:04:59.999Z".parse().unwrap();
            assert_eq!(read(now()).as_ref(), Some(&challenge));
            assert_eq!(read(last), Some(challenge));
            assert_eq!(read("2026-11-21T10:05:00Z".parse().unwrap()), None);
        }
    }

    #[test]
    fn no_two_challenges_are_alike() {
        let [one, other] = [(); 2].map(|()| Challenge::new(Purpose::SignIn, now()).unwrap());
        assert_ne!(one.name(), other.name());
    }

    #[test]
    fn a_challenge_of_another_key_or_kind_is_refused() {
        let text = key(1).write(&Challenge::new(Purpose::SignIn, now()).unwrap());
        let text = text.expose_secret();
        assert_eq!(key(2).read(text, now()), None);
        let codes = ChallengeKey::new(&[1; 32]).unwrap();
        assert_eq!(codes.read(&text.replace("_pc_", "_ch_"), now()), None);
        let user = UserId::from_bytes([7; 16]);
        let other = codes.write(&crate::second_factor::Challenge::new(user, 3, now()));
        assert_eq!(key(1).read(&other.expose_secret().replace("_ch_", "_pc_"), now()), None);
    }

    proptest! {
        #[test]
        fn an_altered_text_is_refused(at in 0usize..170, bit in 0u8..7, text in ".*") {
            for purpose in purposes() {
                let challenge = Challenge::new(purpose, now()).unwrap();
                let made = key(1).write(&challenge);
                let mut altered = made.expose_secret().as_bytes().to_vec();
                let at = at.min(altered.len() - 1);
                altered[at] ^= 1 << bit;
                prop_assert_eq!(key(1).read(&String::from_utf8_lossy(&altered), now()), None);
                prop_assert_eq!(key(1).read(&made.expose_secret()[..at], now()), None);
            }
            prop_assert_eq!(key(1).read(&format!("{PREFIX}{text}"), now()), None);
        }
    }
}
