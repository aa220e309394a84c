//! The cookie of a browser: which session the browser has.
//!
//! **Guarantee.** The table stores no cookie, and no hash of one: it is two ids with a MAC. Its key follows from that of refresh
//! tokens, so both end in an emergency, and neither can pass as the other.

use secrecy::SecretString;
use shared::Result;
use shared::id::{SessionId, UserId};

use crate::mac::{MacKey, derived};

const PREFIX: &str = "arsenal_bs_";
/// The length of what the MAC covers: two ids.
const CONTENT: usize = 32;

/// The session of a browser. Nobody refreshes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrowserToken {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
}

/// The key that makes cookies.
#[derive(Clone)]
pub struct BrowserKey(MacKey);

impl BrowserKey {
    /// The key that follows from the random bytes of the key of refresh tokens.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        Ok(Self(MacKey::new(derived(bytes, "browser")?.as_slice(), PREFIX)))
    }

    /// The cookie as text.
    #[must_use]
    pub fn write(&self, token: &BrowserToken) -> SecretString {
        let mut bytes = [0; CONTENT];
        bytes[..16].copy_from_slice(&token.user.to_bytes());
        bytes[16..].copy_from_slice(&token.session.to_bytes());
        self.0.write(&bytes)
    }

    /// The cookie, if this key made the text.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<BrowserToken> {
        let content: [u8; CONTENT] = self.0.read(text)?;
        let (user, session) = content.split_first_chunk()?;
        let session = SessionId::from_bytes(*session.first_chunk()?);
        Some(BrowserToken { user: UserId::from_bytes(*user), session })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::session::{RefreshKey, RefreshToken};

    proptest! {
        /// Whatever is cut off or put before, a cookie is no refresh token, and a refresh token is no cookie.
        #[test]
        fn only_our_own_cookies_are_read(
            bytes: [u8; 32], user: [u8; 16], session: [u8; 16], generation: u32, at in 0usize..90,
        ) {
            let (key, refreshes) = (BrowserKey::new(&bytes).unwrap(), RefreshKey::new(&bytes));
            let (user, session) = (UserId::from_bytes(user), SessionId::from_bytes(session));
            let cookie = key.write(&BrowserToken { user, session });
            let refresh = refreshes.write(&RefreshToken { user, session, generation });
            let [cookie, refresh] = [cookie.expose_secret(), refresh.expose_secret()];
            prop_assert_eq!(key.read(cookie), Some(BrowserToken { user, session }));
            for text in [cookie, refresh] {
                let content = &text[PREFIX.len()..];
                let cut = &content[at.min(content.len() - 1)..];
                for prefix in [PREFIX, "arsenal_rt_"] {
                    for altered in [format!("{prefix}{cut}"), format!("{prefix}{content}")] {
                        prop_assert_eq!(key.read(&altered).is_some(), altered == cookie);
                        prop_assert_eq!(refreshes.read(&altered).is_some(), altered == refresh);
                    }
                }
            }
        }

        #[test]
        fn any_other_text_is_refused(text in ".*") {
            let key = BrowserKey::new(&[1; 32]).unwrap();
            prop_assert_eq!(key.read(&format!("{PREFIX}{text}")), None);
            prop_assert_eq!(key.read(&text), None);
        }
    }
}
