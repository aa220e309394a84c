//! Codes: what an application gets by the browser, and exchanges for tokens.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::second::required as seconds;
use serde::{Deserialize, Serialize};
use shared::id::{SessionId, UserId};

use super::application::ApplicationId;
use super::id_token::SignIn;
use super::pkce::Challenge;
use super::scope::Scopes;
use crate::random_token::{Kind, RandomToken};

/// How long a code is good. RFC 6749 has 10 minutes as the maximum; an application exchanges it at once.
pub const LIFETIME: Duration = Duration::from_mins(1);
/// How long a code is remembered, so that its use again is noticed.
pub const REMEMBERED: Duration = Duration::from_hours(24);

/// The kind of these texts.
#[derive(Debug)]
pub enum OfCode {}
impl Kind for OfCode {
    const PREFIX: &'static str = "arsenal_ac_";
    const EXPECTED: &'static str = "it is the code that the browser brought";
}
/// A code as the application gets it.
pub type Code = RandomToken<OfCode>;

/// What a user has allowed, and what proves that the right application presents the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// The application.
    pub application: ApplicationId,
    /// The address that the browser was sent to.
    pub redirect_uri: String,
    /// The hash of what only the application knows.
    pub challenge: Challenge,
    /// What the user has allowed.
    pub scopes: Scopes,
    /// What the ID token repeats for the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The user.
    pub user: UserId,
    /// The user's [`epoch`](crate::store::Account::epoch) at that time. In another one, the code is good for nothing.
    pub epoch: u32,
    /// When the user gave the password, in seconds since 1970.
    #[serde(with = "seconds")]
    pub signed_in_at: Timestamp,
    /// When the code ends, in seconds since 1970.
    #[serde(with = "seconds")]
    pub good_until: Timestamp,
    /// The session that the code has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<SessionId>,
}

impl Allowed {
    /// The sign-in, for its ID token.
    #[must_use]
    pub fn sign_in(&self) -> SignIn<'_> {
        SignIn {
            application: self.application,
            scopes: &self.scopes,
            nonce: self.nonce.as_deref(),
            signed_in_at: self.signed_in_at,
        }
    }
}
