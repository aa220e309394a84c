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

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond::required as milliseconds;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shared::id::{SessionId, TenantId, UserId};
use utoipa::ToSchema;

use crate::mac::MacKey;
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
    /// The tenant that the user acts for: the user's own at the sign-in.
    pub tenant: TenantId,
    /// The user's own tenant, whose audit log tells of the session. Absent in sessions from before there were others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_tenant: Option<TenantId>,
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
    /// Whether the sign-in has needed a second factor, and the user has given it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_second_factor: bool,
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
            own_tenant: Some(user.tenant),
            epoch,
            generation: 0,
            created_at: now,
            refreshed_at: now,
            expires_at: now + LIFETIME,
            client,
            has_second_factor: false,
            application: None,
            ended: None,
        }
    }

    /// The session of a user who has given a second factor, if `is_given`.
    #[must_use]
    pub fn with_second_factor(self, is_given: bool) -> Self {
        Self { has_second_factor: is_given, ..self }
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

const PREFIX: &str = "arsenal_rt_";
/// The length of what the MAC covers: two ids and the number.
const CONTENT: usize = 36;

/// The key that makes refresh tokens.
#[derive(Clone)]
pub struct RefreshKey(MacKey);

impl RefreshKey {
    /// The key of these random bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(MacKey::new(bytes, PREFIX))
    }

    /// The token as text.
    #[must_use]
    pub fn write(&self, token: &RefreshToken) -> SecretString {
        self.0.write(&content(token))
    }

    /// The token, if this key made the text. The comparison takes constant time.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<RefreshToken> {
        let content: [u8; CONTENT] = self.0.read(text)?;
        let (user, rest) = content.split_first_chunk()?;
        let (session, rest) = rest.split_first_chunk()?;
        Some(RefreshToken {
            user: UserId::from_bytes(*user),
            session: SessionId::from_bytes(*session),
            generation: u32::from_be_bytes(*rest.first_chunk()?),
        })
    }
}

fn content(token: &RefreshToken) -> [u8; CONTENT] {
    let mut bytes = [0; CONTENT];
    bytes[..16].copy_from_slice(&token.user.to_bytes());
    bytes[16..32].copy_from_slice(&token.session.to_bytes());
    bytes[32..].copy_from_slice(&token.generation.to_be_bytes());
    bytes
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
            prop_assert_eq!(RefreshKey::new(&[1; 32]).read(&text), None);
            let text = format!("{PREFIX}{text}");
            prop_assert_eq!(RefreshKey::new(&[1; 32]).read(&text), None);
        }
    }
}
