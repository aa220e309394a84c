//! The secret of an API key: its text.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use shared::Result;
use shared::id::UserId;

use super::ApiKeyId;

/// The beginning of each secret, so that scanners for leaked secrets can find one.
pub const PREFIX: &str = "arsenal_key_";
/// The length of what the checksum covers: two ids and 32 random bytes.
const CONTENT: usize = 64;
/// With the checksum.
const BYTES: usize = CONTENT + 4;

/// A text that has the form of a secret, with the ids that it names. Whether it is one of the key, its hash says.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The user.
    pub user: UserId,
    /// The key.
    pub key: ApiKeyId,
    text: SecretString,
}

impl Secret {
    /// A new secret of a key.
    pub fn generate(user: UserId, key: ApiKeyId) -> Result<Self> {
        let mut bytes = [0; BYTES];
        bytes[..16].copy_from_slice(&user.to_bytes());
        bytes[16..32].copy_from_slice(&key.to_bytes());
        aws_lc_rs::rand::fill(&mut bytes[32..CONTENT])?;
        let checksum = crc32fast::hash(&bytes[..CONTENT]);
        bytes[CONTENT..].copy_from_slice(&checksum.to_be_bytes());
        let text = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)).into();
        Ok(Self { user, key, text })
    }

    /// The secret of a text whose checksum is right.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (content, checksum) = bytes.split_at_checked(CONTENT)?;
        if crc32fast::hash(content).to_be_bytes() != checksum {
            return None;
        }
        let (user, rest) = content.split_first_chunk()?;
        let (key, _) = rest.split_first_chunk()?;
        let (user, key) = (UserId::from_bytes(*user), ApiKeyId::from_bytes(*key));
        Some(Self { user, key, text: text.into() })
    }

    /// The hash that the table has of it. 256 bits of the text are random, so the hash needs no salt and no stretching.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::clock::Clock;
    use shared::id::Ids;

    use super::*;

    fn secret() -> Secret {
        let ids = Ids::random(Clock::System);
        Secret::generate(ids.next(), ids.next()).unwrap()
    }

    #[test]
    fn a_secret_is_read_back_and_is_like_no_other() {
        let one = secret();
        let other = Secret::generate(one.user, one.key).unwrap();
        let read = Secret::read(one.expose()).unwrap();
        assert_eq!((read.user, read.key, read.hash()), (one.user, one.key, one.hash()));
        assert_ne!((one.expose(), one.hash()), (other.expose(), other.hash()));
        // The ids are the same in both. The random part is not.
        let random = |secret: &Secret| secret.expose()[PREFIX.len() + 43..].to_owned();
        assert_ne!(random(&one), random(&other));
        assert!(!format!("{one:?}").contains(&random(&one)), "it is not printed");
    }

    /// The format, as a scanner reads it: made with Python's `zlib.crc32` and `base64.urlsafe_b64encode`.
    #[test]
    fn the_checksum_is_the_crc_32_of_zlib() {
        let text = "arsenal_key_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-PxAOzow";
        assert_eq!(text.len(), PREFIX.len() + 91);
        let secret = Secret::read(text).unwrap();
        assert_eq!(secret.user.to_bytes()[..3], [0, 1, 2]);
        assert_eq!(secret.key.to_bytes()[..3], [16, 17, 18]);
    }

    proptest! {
        #[test]
        fn a_text_that_is_mistyped_or_cut_is_refused(at in 0_usize..103, to in "[ -~é]") {
            let secret = secret();
            let text = secret.expose();
            prop_assert!(Secret::read(&text[..at]).is_none());
            let longer = format!("{text}{to}");
            prop_assert!(Secret::read(&longer).is_none());
            let altered: String =
                text.chars().enumerate().map(|(i, c)| if i == at { to.chars().next().unwrap() } else { c }).collect();
            prop_assert_eq!(Secret::read(&altered).is_some(), altered == text);
        }

        #[test]
        fn any_other_text_is_refused(text in ".*") {
            prop_assert!(Secret::read(&text).is_none());
            let text = format!("{PREFIX}{text}");
            prop_assert!(Secret::read(&text).is_none());
        }
    }
}
