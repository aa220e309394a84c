//! The users' table. There is one partition for each user (`pk = USER#<id>`), with the account (`sk = ACCOUNT`), the
//! sessions (`sk = SESSION#<id>`), the API keys (`sk = APIKEY#<id>`), the passkeys (`sk = PASSKEY#<id>`), the authenticator app with
//! its recovery codes (`sk = TOTP`) and the recovery codes of a user with passkeys alone (`sk = RECOVERY`), and one for each address
//! (`pk = EMAIL#<address>`), which makes addresses unique and maps an address to its user. `pk = PASSKEY#<hash>` makes passkeys
//! unique and maps one to its user, and `pk = CHALLENGE#<name>` is a challenge of a passkey that was used. `pk = APP#<id>` is an application, which
//! is listed with `pk = APPLICATIONS`; `pk = CODE#<hash>` is a code that an application exchanges for tokens. `pk = LINK#<hash>` is
//! a link in a mail. `pk = IDENTITY#<provider>#<hash>` leads from an identity at a provider to its user, who has it too (`sk =
//! IDENTITY#<id>`), and `pk = ATTEMPT#<hash>` is an attempt to sign in at a provider that was used. `pk = DEVICE#<hash>` is a device that polls for tokens, and `pk = USERCODE#<code>` leads to it. `pk = TRIES#<hash of the address>` counts the tries of passwords for an address. `pk = KEYS` has the lease of
//! a rotation of the keys.

mod api_keys;
mod applications;
pub mod changes;
mod codes;
mod devices;
mod identities;
mod links;
mod passkeys;
mod second_factors;
mod sessions;
mod tenants;
mod throttle;

pub use api_keys::Added;
pub use applications::Registered;
pub use codes::Exchanged;
pub use devices::{FoundDevice, Polled};
pub use identities::{Linked, Made, Owner};
pub use links::Used;
pub use passkeys::{PasskeyAdded, PasskeyRemoved, PasskeyUsed};
pub use second_factors::{CodesMade, Removed, Totp, Tried};
pub use sessions::Rotated;
use sessions::{ALIVE, alive_values, session_key};
pub use tenants::{Invited, Joined, MemberChanged};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::{SessionId, UserId};
use shared::lease::{AttemptId, FREE, HELD, LET_GO, Lease, TAKE, held_by};
use shared::table::{Item, Table, delete, key, number, string, text, update, value};
use shared::transaction::Sent;
use shared::write::{self, Written};
use utoipa::ToSchema;

use crate::email::Email;
use crate::session;
use crate::user::User;

const ACCOUNT: &str = "ACCOUNT";
const EMAIL: &str = "EMAIL";
/// The beginning of the partitions of addresses.
const EMAILS: &str = "EMAIL#";
/// The item with the lease of a rotation of the keys.
const KEYS: &str = "KEYS";

/// A user with the password's hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// The password's hash, a PHC string. Absent if the account was made with an identity at a provider, and its user has not
    /// chosen a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// How often all sessions of the user were ended at once. Those of an earlier epoch have ended.
    pub epoch: u32,
    /// How the password was set.
    pub password_set: PasswordSet,
    /// How the authenticator app was switched on or off. Absent if the user never had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<FactorSet>,
    /// The number of tenants that the user is a member of, besides the user's own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tenants: u32,
    /// The number of the user's passkeys.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub passkeys: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Account {
    /// Whether a sign-in needs more than the password.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.has_totp() || self.passkeys > 0
    }

    /// Whether the user has an authenticator app.
    #[must_use]
    pub fn has_totp(&self) -> bool {
        self.second_factor.as_ref().is_some_and(|factor| factor.is_on)
    }
}

/// How an authenticator app was switched on or off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SecondFactorSet)]
pub struct FactorSet {
    /// Whether it is on.
    pub is_on: bool,
    /// When it was switched.
    pub at: Timestamp,
    /// The client of the request.
    #[serde(flatten)]
    pub client: session::Client,
}

/// How a password was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordSet {
    /// When it was set.
    pub at: Timestamp,
    /// By which way.
    pub how: How,
    /// The client of the request.
    #[serde(flatten)]
    pub client: session::Client,
}

/// A way to set a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PasswordSetHow)]
pub enum How {
    /// With the link of a registration.
    Registered,
    /// With the current password.
    Changed,
    /// With a link to reset it.
    Reset,
    /// There is none: the account was made with an identity at a provider.
    None,
}

/// A rotation of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// When it ended.
    pub at: Timestamp,
    /// Whether all tokens ended.
    pub emergency: bool,
}

/// What came of a change of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is made.
    Made,
    /// It is not made, because the account has changed since it was read.
    Account,
    /// It is not made, because the session that was to be kept has ended.
    Session,
}

/// The users' table.
#[derive(Clone, Debug)]
pub struct Users {
    table: Table,
}

impl Users {
    /// The users in `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { table: Table::new(client, table) }
    }

    /// The account with this address, strongly consistent, so that users can sign in right after registration. Two
    /// requests (2 RRU), whether there is one or not, so that the time does not tell.
    pub async fn by_email(&self, email: &Email) -> Result<Option<Account>> {
        #[derive(Deserialize)]
        struct Taken {
            user_id: UserId,
        }
        let taken = self.table.get::<Taken>(email_key(email)).await?;
        self.account(taken.map_or_else(|| nobody(email), |taken| taken.user_id)).await
    }

    /// The account of a user, strongly consistent. 1 RRU.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>> {
        self.table.get(user_key(user)).await
    }

    /// Changes the password and ends all sessions but `kept`, if the account is as it was read and `kept` is alive.
    /// 4 WRU.
    pub async fn change_password(
        &self,
        account: &Account,
        (new_hash, set): (&str, &PasswordSet),
        kept: SessionId,
        attempt: AttemptId,
    ) -> Result<Changed> {
        let (user, next) = (account.user.id, account.epoch + 1);
        let change = self
            .table
            .updating(user_key(user))
            .update_expression("SET password_hash = :new, password_set = :set, epoch = :next")
            .condition_expression("password_hash = :old AND epoch = :epoch")
            .expression_attribute_values(":new", string(new_hash))
            .expression_attribute_values(":set", value(set)?)
            .expression_attribute_values(":old", hash_of(account))
            .expression_attribute_values(":next", number(next))
            .expression_attribute_values(":epoch", number(account.epoch));
        let mut keep = self
            .table
            .updating(session_key(user, kept))
            .update_expression("SET epoch = :next")
            .condition_expression(ALIVE)
            .expression_attribute_values(":next", number(next));
        for (name, value) in alive_values(account.epoch, set.at) {
            keep = keep.expression_attribute_values(name, value);
        }
        let writes = vec![update(change)?, update(keep)?];
        Ok(
            match self.table.transact("users.change_password", &attempt.to_string(), writes).await?
            {
                Sent::Made => Changed::Made,
                Sent::Refused { index: 0, .. } => Changed::Account,
                Sent::Refused { .. } => Changed::Session,
            },
        )
    }

    /// Deletes an account and frees its address, if the account is as it was read and its user is a member of no tenant. The
    /// sessions and API keys end with it; [`Users::forget`] deletes them. Returns `false` if the account has changed. 6 WRU.
    pub async fn delete(&self, account: &Account, attempt: AttemptId) -> Result<bool> {
        let user = &account.user;
        let of_account = self
            .table
            .deleting(user_key(user.id))
            .condition_expression(
                "password_hash = :hash AND epoch = :epoch \
                 AND (attribute_not_exists(tenants) OR tenants = :none)",
            )
            .expression_attribute_values(":hash", hash_of(account))
            .expression_attribute_values(":epoch", number(account.epoch))
            .expression_attribute_values(":none", number(0));
        let of_address = self
            .table
            .deleting(email_key(&user.email))
            .condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user.id));
        let tries = self.forgetting_tries(&user.email)?;
        let writes = vec![delete(of_account)?, delete(of_address)?, tries];
        let sent = self.table.transact("users.delete", &attempt.to_string(), writes).await?;
        Ok(matches!(sent, Sent::Made))
    }

    /// Replaces the password's hash by one of the same password, if the account still has the hash that was checked.
    /// Gives `false` if it has another one: then the password was changed meanwhile. 1 WRU.
    pub async fn replace_hash(&self, account: &Account, new_hash: &str) -> Result<bool> {
        let update = self
            .table
            .update(user_key(account.user.id))
            .update_expression("SET password_hash = :new")
            .condition_expression("password_hash = :old")
            .expression_attribute_values(":new", string(new_hash))
            .expression_attribute_values(":old", hash_of(account));
        Ok(matches!(write::send("users.replace_hash", update).await?, Written::Made(_)))
    }

    /// Ends all sessions of a user that have begun. 1 WRU.
    pub async fn end_all_sessions(&self, user: UserId) -> Result<()> {
        let update = self
            .table
            .update(user_key(user))
            .update_expression("SET epoch = epoch + :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":one", number(1));
        // Without the account, there are no sessions that are alive.
        write::send("users.end_all_sessions", update).await.map(|_| ())
    }
}

impl Users {
    /// Claims the keys for a rotation. Returns `false` if another rotation holds them. 1 WRU.
    pub async fn claim_keys(&self, lease: Lease, now: Timestamp) -> Result<bool> {
        let claim = lease
            .claim(self.table.update(key(KEYS, KEYS)), now)
            .update_expression(format!("SET {TAKE}"))
            .condition_expression(FREE);
        Ok(matches!(write::send("keys.claim", claim).await?, Written::Made(_)))
    }

    /// Releases the keys, after a rotation or a failed one. 1 WRU.
    pub async fn release_keys(&self, attempt: AttemptId, rotation: Option<Rotation>) -> Result<()> {
        let release = held_by(self.table.update(key(KEYS, KEYS)), attempt);
        let release = match rotation {
            Some(rotation) => release
                .update_expression(format!("SET rotation = :rotation REMOVE {LET_GO}"))
                .expression_attribute_values(":rotation", value(&rotation)?),
            None => release.update_expression(format!("REMOVE {LET_GO}")),
        };
        let release = release.condition_expression(HELD);
        write::send("keys.release", release).await.map(|_| ())
    }
}

/// The hash that an account must still have. No account has the empty one, so none without a password is changed by it.
fn hash_of(account: &Account) -> AttributeValue {
    string(account.password_hash.as_deref().unwrap_or_default())
}

fn user_partition(id: UserId) -> String {
    format!("USER#{id}")
}

fn user_key(id: UserId) -> Item {
    key(user_partition(id), ACCOUNT)
}

/// An id that no user has, different for each address, so that reads for unknown addresses spread over the table.
fn nobody(email: &Email) -> UserId {
    UserId::from_bytes(*email.hash().first_chunk().unwrap_or(&[0; 16]))
}

fn email_key(email: &Email) -> Item {
    key(format!("{EMAILS}{email}"), EMAIL)
}
