//! Links in mails: the rules.
//!
//! A link proves that its user reads the mail of an address. It ends with a token, which a later request presents with a
//! new password.
//!
//! **Guarantees.**
//!
//! - A token is good once, for [`LIFETIME`], and for one purpose.
//! - The table has a hash of each token and not the token ([`random_token`](crate::random_token)).
//! - A link to reset a password, and one to link an identity, is of no use after any change of the password, or end of all sessions.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::http::contract;
use shared::id::{TenantId, UserId};

use crate::email::Email;
use crate::identity::Subject;
use crate::random_token::{Kind, RandomToken};

/// How long a link can be used, but for an [invitation](crate::tenant::INVITATION_LIFETIME).
pub const LIFETIME: Duration = Duration::from_hours(1);

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// To become a member of a tenant.
    Join {
        /// The tenant.
        tenant: TenantId,
    },
    /// To link an identity at a provider to an account.
    Identity {
        /// The user.
        user: UserId,
        /// The user's epoch when the link was made.
        epoch: u32,
        /// The identity.
        #[serde(flatten)]
        identity: NewIdentity,
    },
}

/// An identity that is not linked yet, whose provider has proved the address of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewIdentity {
    /// Who somebody is at the provider.
    #[serde(flatten)]
    pub subject: Subject,
    /// The provider's name for people.
    pub provider_name: String,
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
pub type LinkToken = RandomToken<InMail>;

/// The kind of these tokens.
#[derive(Debug)]
pub enum InMail {}

impl Kind for InMail {
    const PREFIX: &'static str = "arsenal_ml_";
    const EXPECTED: &'static str = "it is what a link in a mail ends with, from arsenal_ml_ on";
}

contract::text!(
    LinkToken,
    "^arsenal_ml_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
    "arsenal_ml_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "The token at the end of a link."
);
