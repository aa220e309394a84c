//! What a sign-in gets for the right password of a user with a second factor.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use shared::Result;
use shared::id::UserId;

use crate::mac::{MacKey, derived};

/// How long a challenge can be answered.
pub const LIFETIME: Duration = Duration::from_mins(5);
const PREFIX: &str = "arsenal_ch_";
/// The length of what the MAC covers: the user, the epoch and the expiry.
const CONTENT: usize = 28;

/// The password of a user was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The user.
    pub user: UserId,
    /// The user's [`epoch`](crate::store::Account::epoch) in which the password was right. In another epoch, the challenge
    /// is of no use.
    pub epoch: u32,
    /// The second, since 1970, from which on the challenge is of no use.
    pub expires: i64,
}

impl Challenge {
    /// A challenge for a user whose password was right at `now`.
    #[must_use]
    pub fn new(user: UserId, epoch: u32, now: Timestamp) -> Self {
        Self { user, epoch, expires: (now + LIFETIME).as_second() }
    }
}

/// The key that makes challenges.
#[derive(Clone)]
pub struct ChallengeKey(MacKey);

impl ChallengeKey {
    /// The key that follows from the random bytes of the key of refresh tokens, so that both end in an emergency.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        Ok(Self(MacKey::new(derived(bytes, "challenge")?.as_slice(), PREFIX)))
    }

    /// The challenge as text.
    #[must_use]
    pub fn write(&self, challenge: &Challenge) -> SecretString {
        let mut bytes = [0; CONTENT];
        bytes[..16].copy_from_slice(&challenge.user.to_bytes());
        bytes[16..20].copy_from_slice(&challenge.epoch.to_be_bytes());
        bytes[20..].copy_from_slice(&challenge.expires.to_be_bytes());
        self.0.write(&bytes)
    }

    /// The challenge, if this key made the text and it has not expired at `now`.
    #[must_use]
    pub fn read(&self, text: &str, now: Timestamp) -> Option<Challenge> {
        let content: [u8; CONTENT] = self.0.read(text)?;
        let (user, rest) = content.split_first_chunk()?;
        let (epoch, expires) = rest.split_first_chunk()?;
        let challenge = Challenge {
            user: UserId::from_bytes(*user),
            epoch: u32::from_be_bytes(*epoch),
            expires: i64::from_be_bytes(*expires.first_chunk()?),
        };
        (now.as_second() < challenge.expires).then_some(challenge)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use shared::id::SessionId;

    use super::*;
    use crate::session::{RefreshKey, RefreshToken};

    fn now() -> Timestamp {
        "2026-11-21T10:00:00.999Z".parse().unwrap()
    }

    fn challenge() -> Challenge {
        Challenge::new(UserId::from_bytes([7; 16]), 3, now())
    }

    fn key(bytes: [u8; 32]) -> ChallengeKey {
        ChallengeKey::new(&bytes).unwrap()
    }

    #[test]
    fn a_challenge_expires_to_the_second() {
        let text = key([1; 32]).write(&challenge());
        let read = |at| key([1; 32]).read(text.expose_secret(), at);
        let end: Timestamp = "2026-11-21T10:05:00Z".parse().unwrap();
        assert_eq!(read(now()), Some(challenge()));
        assert_eq!(read(end - Duration::from_millis(1)), Some(challenge()));
        assert_eq!(read(end), None);
    }

    #[test]
    fn a_challenge_is_no_refresh_token_and_the_other_way_round() {
        let (refresh, key) = (RefreshKey::new(&[1; 32]), key([1; 32]));
        let (user, session) = (challenge().user, SessionId::from_bytes([9; 16]));
        let token = refresh.write(&RefreshToken { user, session, generation: 0 });
        let text = key.write(&challenge());
        for [text, other] in [[&token, &text], [&text, &token]] {
            let renamed =
                format!("{}{}", &other.expose_secret()[..11], &text.expose_secret()[11..]);
            for text in [text.expose_secret(), renamed.as_str()] {
                let is_token = text == token.expose_secret();
                assert_eq!(refresh.read(text).is_some(), is_token, "{text}");
            }
        }
        let renamed = |text: &SecretString| text.expose_secret().replace("_rt_", "_ch_");
        assert_eq!(key.read(&renamed(&token), now()), None);
        // Not even bytes of the same meaning: the keys are different.
        let bytes = MacKey::new(&[1; 32], PREFIX).write(&[7; CONTENT]);
        assert_eq!(key.read(bytes.expose_secret(), Timestamp::MIN), None);
    }

    #[test]
    fn a_challenge_that_is_altered_at_any_byte_is_refused() {
        let key = key([1; 32]);
        let text = key.write(&challenge());
        let text = text.expose_secret();
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut altered = text.as_bytes().to_vec();
                altered[at] ^= 1 << bit;
                assert_eq!(key.read(&String::from_utf8_lossy(&altered), now()), None, "{at}");
            }
            assert_eq!(key.read(&text[..at], now()), None);
        }
        assert_eq!(key.read(&format!("{text}A"), now()), None);
    }

    proptest! {
        #[test]
        fn only_our_own_challenges_are_read(bytes: [u8; 32], other: [u8; 32], epoch: u32, text in ".*") {
            prop_assume!(bytes != other);
            let made = Challenge { epoch, ..challenge() };
            let written = key(bytes).write(&made);
            prop_assert_eq!(key(bytes).read(written.expose_secret(), now()), Some(made));
            prop_assert_eq!(key(other).read(written.expose_secret(), now()), None);
            prop_assert_eq!(key(bytes).read(&format!("{PREFIX}{text}"), now()), None);
        }
    }
}
