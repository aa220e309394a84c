//! The items of the users' table as its stream has them, with what the audit log compares.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use shared::id::{TenantId, UserId};
use shared::scopes::Role;

use super::api_keys::API_KEY;
use super::applications::{APPLICATION, Registered};
use super::identities::IDENTITY;
use super::passkeys::PASSKEYS;
use super::second_factors::{RECOVERY, TOTP};
use super::sessions::SESSION;
use super::tenants::{INVITATION, MEMBER, TENANT};
use super::{ACCOUNT, EMAIL, EMAILS, FactorSet, KEYS, PasswordSet, Rotation, Totp};
use crate::api_key::ApiKey;
use crate::email::Email;
use crate::identity::Identity;
use crate::passkey::Passkey;
use crate::session::Session;
use crate::tenant::{Invitation, Member, Tenant};

/// An item of the users' table.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Item {
    /// An account.
    Account(Box<Account>),
    /// A session.
    Session(Box<Session>),
    /// An API key.
    ApiKey(Box<ApiKey>),
    /// An authenticator app with recovery codes.
    Totp(Box<Totp>),
    /// An identity at a provider.
    Identity(Box<Identity>),
    /// Recovery codes of a user without an app.
    Recovery(Box<Totp>),
    /// A passkey.
    Passkey(Box<Passkey>),
    /// The keys.
    Keys(Keys),
    /// An address.
    Address(Address),
    /// An application.
    Application(Box<Registered>),
    /// A tenant that several users share.
    Tenant(Box<Tenant>),
    /// A member of it.
    Member(Box<Member>),
    /// An invitation.
    Invitation(Box<Invitation>),
    /// An item that is no fact.
    Other,
}

/// What the log tells of an account.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// The user.
    pub id: UserId,
    /// The user's tenant.
    pub tenant: TenantId,
    #[serde(default)]
    pub(crate) roles: Vec<Role>,
    /// The address.
    pub email: Email,
    /// To notice that it changes. A dead letter has a hash of it.
    pub(crate) password_hash: Option<SecretString>,
    /// When the user registered.
    pub created_at: Timestamp,
    pub(crate) epoch: u32,
    pub(crate) password_set: PasswordSet,
    pub(crate) second_factor: Option<FactorSet>,
    #[serde(default)]
    pub(crate) passkeys: u32,
}

/// Which account an address leads to.
#[derive(Clone, Debug)]
pub struct Address {
    /// The address.
    pub email: Email,
    /// The user.
    pub user: UserId,
}

/// The item with the lease of a rotation.
#[derive(Clone, Debug, Deserialize)]
pub struct Keys {
    pub(crate) rotation: Option<Rotation>,
}

impl TryFrom<Value> for Item {
    type Error = serde_json::Error;

    fn try_from(item: Value) -> Result<Self, serde_json::Error> {
        match item["sk"].as_str().unwrap_or_default() {
            ACCOUNT => serde_json::from_value(item).map(Self::Account),
            KEYS => serde_json::from_value(item).map(Self::Keys),
            APPLICATION => serde_json::from_value(item).map(Self::Application),
            TOTP => serde_json::from_value(item).map(Self::Totp),
            RECOVERY => serde_json::from_value(item).map(Self::Recovery),
            EMAIL => Address::of(&item).map(Self::Address),
            TENANT => serde_json::from_value(item).map(Self::Tenant),
            sk if sk.starts_with(MEMBER) => serde_json::from_value(item).map(Self::Member),
            sk if sk.starts_with(INVITATION) => serde_json::from_value(item).map(Self::Invitation),
            sk if sk.starts_with(SESSION) => serde_json::from_value(item).map(Self::Session),
            sk if sk.starts_with(IDENTITY) => serde_json::from_value(item).map(Self::Identity),
            sk if sk.starts_with(API_KEY) => serde_json::from_value(item).map(Self::ApiKey),
            sk if sk.starts_with(PASSKEYS) => serde_json::from_value(item).map(Self::Passkey),
            _ => Ok(Self::Other),
        }
    }
}

impl Address {
    fn of(item: &Value) -> Result<Self, serde_json::Error> {
        let address =
            item["pk"].as_str().and_then(|pk| pk.strip_prefix(EMAILS)).unwrap_or_default();
        Ok(Self {
            email: serde_json::from_value(address.into())?,
            user: serde_json::from_value(item["user_id"].clone())?,
        })
    }
}
