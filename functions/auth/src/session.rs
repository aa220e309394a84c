//! Sessions and their refresh tokens: the rules.
//!
//! A session lasts from a sign-in to its end. Its client has a refresh token, which is good for one refresh:
//! the answer has the next one. So a stolen token is noticed as soon as the thief and the owner refresh more than
//! [`GRACE`] apart; within it, they look like one client that asks twice.
//!
//! **Guarantees.**
//!
//! - A session has one current refresh token. Each refresh replaces it by exactly one successor, also if many
//!   requests present the same token at once.
//! - The token before the current one gets the same successor again for [`GRACE`]. So two tabs that refresh at
//!   once, and a client whose answer was lost, stay signed in.
//! - Any older token, and that one after [`GRACE`], ends the session ([`Verdict::Reused`]).
//! - The session of an application is refreshed by that application alone, and gets no scope that the user has not allowed.
//! - The table stores no token, and no hash of one. A token is its session's ids and a counter with a MAC, whose key is in
//!   Secrets Manager. A text that we did not make is refused without a request.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond::required as milliseconds;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shared::id::{SessionId, TenantId, UserId};
use utoipa::ToSchema;

use crate::oauth::application::ApplicationId;
use crate::oauth::scope::Scopes;
use crate::user::User;

/// How long a session lasts from the sign-in, however often it is refreshed.
pub const LIFETIME: Duration = Duration::from_hours(30 * 24);
/// How long a session lasts without a refresh.
pub const IDLE: Duration = Duration::from_hours(14 * 24);
/// How long a token that was just replaced gets its successor again. It is longer than the time after which
/// API Gateway gives up, so that a client may wait for an answer and then try again.
pub const GRACE: Duration = Duration::from_secs(40);

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// The user.
    pub user: UserId,
    /// The tenant that the user acts for.
    pub tenant: TenantId,
    /// The user's [`epoch`](crate::store::Account::epoch) when the session began. In a later epoch, the
    /// session has ended.
    pub epoch: u32,
    /// The number of the current refresh token: 0 at the sign-in.
    pub generation: u32,
    /// The time of the sign-in.
    #[serde(with = "milliseconds")]
    pub created_at: Timestamp,
    /// The time of the last refresh, or of the sign-in.
    #[serde(with = "milliseconds")]
    pub refreshed_at: Timestamp,
    /// When the session ends at the latest.
    #[serde(with = "milliseconds")]
    pub expires_at: Timestamp,
    /// The client of the last refresh, or of the sign-in.
    #[serde(flatten)]
    pub client: Client,
    /// The application that the session is for. Absent if the user signed in by the API or by our pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Granted>,
    /// Whether the session has ended, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// What a user has allowed an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = GrantedApplication)]
pub struct Granted {
    /// The application.
    pub id: ApplicationId,
    /// The scopes. A token has those of them that the user's roles give at that time.
    #[schema(value_type = Vec<String>)]
    pub scopes: Scopes,
}

/// What a request tells of its client. Both are for people who look for a session that is not theirs; neither
/// is proved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Client {
    /// The header `User-Agent`, up to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The source IP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// The end of a session before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When it ended.
    pub at: Timestamp,
    /// Why it ended.
    pub reason: Reason,
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The user signed out, or revoked the session.
    SignedOut,
    /// A refresh token was presented after it had been replaced.
    TokenReused,
    /// The code that began the session was presented again.
    CodeReused,
}

/// What a refresh token says, whose MAC is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The number of the token in its session.
    pub generation: u32,
}

/// What happens to a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the current one: it is replaced.
    Current,
    /// It was just replaced: it gets its successor, which is the current one.
    JustReplaced,
    /// It was replaced before: the session ends.
    Reused,
    /// The session has ended.
    Over,
}

impl Session {
    /// A new session of a user who signed in at `now`.
    #[must_use]
    pub fn begun(id: SessionId, user: &User, epoch: u32, client: Client, now: Timestamp) -> Self {
        Self {
            id,
            user: user.id,
            tenant: user.tenant,
            epoch,
            generation: 0,
            created_at: now,
            refreshed_at: now,
            expires_at: now + LIFETIME,
            client,
            application: None,
            ended: None,
        }
    }

    /// The session, for an application.
    #[must_use]
    pub fn of_application(self, granted: Granted) -> Self {
        Self { application: Some(granted), ..self }
    }

    /// The id of the application that the session is for.
    #[must_use]
    pub fn application_id(&self) -> Option<ApplicationId> {
        self.application.as_ref().map(|granted| granted.id)
    }

    /// Whether the session is alive at `now`, of a user whose epoch is `epoch`.
    #[must_use]
    pub fn is_alive(&self, epoch: u32, now: Timestamp) -> bool {
        self.ended.is_none() && self.epoch == epoch && now < self.ends_at()
    }

    /// When the session ends if it is not refreshed.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.expires_at.min(self.refreshed_at + IDLE)
    }

    /// What happens to the token of this number, presented at `now`.
    #[must_use]
    pub fn judge(&self, generation: u32, now: Timestamp) -> Verdict {
        if self.ended.is_some() || now >= self.ends_at() {
            return Verdict::Over;
        }
        let is_previous = generation.checked_add(1) == Some(self.generation);
        match generation {
            current if current == self.generation => Verdict::Current,
            _ if is_previous && now < self.refreshed_at + GRACE => Verdict::JustReplaced,
            _ => Verdict::Reused,
        }
    }

    /// The current token.
    #[must_use]
    pub fn token(&self) -> RefreshToken {
        RefreshToken { user: self.user, session: self.id, generation: self.generation }
    }
}

/// The cookie of a browser: a session that nobody refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrowserToken {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
}

/// The beginnings of the texts, so that people and scanners of source code can tell what they are.
const REFRESH: &str = "arsenal_rt_";
const BROWSER: &str = "arsenal_bs_";

/// The key that makes refresh tokens, and cookies. The MAC of a cookie covers its prefix, so a text of one kind is none of
/// the other.
#[derive(Clone)]
pub struct RefreshKey(hmac::Key);

impl RefreshKey {
    /// The key of these random bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The token as text.
    #[must_use]
    pub fn write(&self, token: &RefreshToken) -> SecretString {
        let ids = ids(token.user, token.session);
        self.sealed(REFRESH, b"", &[&ids[..], &token.generation.to_be_bytes()].concat())
    }

    /// The token, if this key made the text. The comparison takes constant time.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<RefreshToken> {
        let content = self.opened::<{ 32 + 4 }>(REFRESH, b"", text)?;
        let (ids, generation) = content.split_first_chunk::<32>()?;
        let (user, session) = of_ids(*ids);
        let generation = u32::from_be_bytes(*generation.first_chunk()?);
        Some(RefreshToken { user, session, generation })
    }

    /// The cookie as text.
    #[must_use]
    pub fn write_browser(&self, token: &BrowserToken) -> SecretString {
        self.sealed(BROWSER, BROWSER.as_bytes(), &ids(token.user, token.session))
    }

    /// The cookie, if this key made the text. The comparison takes constant time.
    #[must_use]
    pub fn read_browser(&self, text: &str) -> Option<BrowserToken> {
        let (user, session) = of_ids(self.opened(BROWSER, BROWSER.as_bytes(), text)?);
        Some(BrowserToken { user, session })
    }

    fn sealed(&self, prefix: &str, kind: &[u8], content: &[u8]) -> SecretString {
        let mac = hmac::sign(&self.0, &[kind, content].concat());
        let text = BASE64_URL_SAFE_NO_PAD.encode([content, mac.as_ref()].concat());
        format!("{prefix}{text}").into()
    }

    fn opened<const N: usize>(&self, prefix: &str, kind: &[u8], text: &str) -> Option<[u8; N]> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.strip_prefix(prefix)?).ok()?;
        let (content, mac) = bytes.split_first_chunk()?;
        hmac::verify(&self.0, &[kind, &content[..]].concat(), mac).ok()?;
        Some(*content)
    }
}

fn ids(user: UserId, session: SessionId) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&user.to_bytes());
    bytes[16..].copy_from_slice(&session.to_bytes());
    bytes
}

fn of_ids(bytes: [u8; 32]) -> (UserId, SessionId) {
    let mut halves = bytes.chunks_exact(16).map(|half| *half.first_chunk().unwrap_or(&[0; 16]));
    let mut next = || halves.next().unwrap_or_default();
    (UserId::from_bytes(next()), SessionId::from_bytes(next()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use shared::clock::Clock;
    use shared::id::Ids;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn session() -> Session {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let ids = Ids::random(Clock::manual(now));
        let email = String::from("ada@example.org").try_into().unwrap();
        let user = User::register(email, &ids, now);
        Session::begun(ids.next(), &user, 3, Client::default(), now)
    }

    #[test]
    fn a_replaced_token_gets_its_successor_for_a_while() {
        let mut session = session();
        let now = session.created_at;
        assert_eq!(session.judge(0, now), Verdict::Current);
        (session.generation, session.refreshed_at) = (1, now);
        assert_eq!(session.judge(0, now + GRACE - SECOND), Verdict::JustReplaced);
        assert_eq!(session.judge(0, now + GRACE), Verdict::Reused);
        assert_eq!(session.judge(1, now + GRACE), Verdict::Current);
        session.generation = 2;
        assert_eq!(session.judge(0, now), Verdict::Reused, "two tokens back");
        assert_eq!(session.judge(3, now), Verdict::Reused, "a token that was never given");
    }

    #[test]
    fn a_session_ends_to_the_second() {
        let mut session = session();
        let now = session.created_at;
        let alive = |session: &Session, at| {
            let judged = session.judge(session.generation, at) == Verdict::Current;
            assert_eq!(judged, session.is_alive(3, at));
            judged
        };
        assert!(alive(&session, now + IDLE - SECOND) && !alive(&session, now + IDLE));
        session.refreshed_at = now + LIFETIME - SECOND;
        assert!(alive(&session, now + LIFETIME - SECOND) && !alive(&session, now + LIFETIME));
        assert!(!session.is_alive(4, now), "another epoch");
        session.ended = Some(Ended { at: now, reason: Reason::SignedOut });
        assert!(!alive(&session, now));
    }

    proptest! {
        #[test]
        fn only_our_own_tokens_are_read(
            key: [u8; 32], other: [u8; 32], generation: u32, at in 0usize..103, bit in 0u8..7
        ) {
            prop_assume!(key != other);
            let token = RefreshToken { generation, ..session().token() };
            let key = RefreshKey::new(&key);
            let text = key.write(&token);
            let text = text.expose_secret();
            prop_assert_eq!(key.read(text), Some(token));
            prop_assert_eq!(RefreshKey::new(&other).read(text), None);
            let mut altered = text.as_bytes().to_vec();
            let at = at.min(altered.len() - 1);
            altered[at] ^= 1 << bit;
            prop_assert_eq!(key.read(&String::from_utf8_lossy(&altered)), None);
            prop_assert_eq!(key.read(&text[..at]), None);
        }

        #[test]
        fn any_other_text_is_refused(text in ".*") {
            let key = RefreshKey::new(&[1; 32]);
            for text in [format!("{REFRESH}{text}"), format!("{BROWSER}{text}"), text] {
                prop_assert_eq!(key.read(&text), None);
                prop_assert_eq!(key.read_browser(&text), None);
            }
        }

        /// A cookie is no refresh token, and a refresh token is no cookie, whatever is cut off or put before.
        #[test]
        fn a_text_of_one_kind_is_none_of_the_other(key: [u8; 32], generation: u32, at in 0usize..100) {
            let key = RefreshKey::new(&key);
            let token = RefreshToken { generation, ..session().token() };
            let cookie = BrowserToken { user: token.user, session: token.session };
            let [refresh, browser] = [key.write(&token), key.write_browser(&cookie)];
            prop_assert_eq!(key.read_browser(browser.expose_secret()), Some(cookie));
            for text in [refresh.expose_secret(), browser.expose_secret()] {
                let content = &text[BROWSER.len()..];
                let cut = &content[at.min(content.len() - 1)..];
                for prefix in [REFRESH, BROWSER] {
                    for altered in [format!("{prefix}{cut}"), format!("{prefix}{content}")] {
                        let refreshes = key.read(&altered).is_some();
                        let browses = key.read_browser(&altered).is_some();
                        prop_assert_eq!(refreshes, altered == refresh.expose_secret());
                        prop_assert_eq!(browses, altered == browser.expose_secret());
                    }
                }
            }
        }
    }
}
