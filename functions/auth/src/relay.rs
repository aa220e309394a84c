//! The consumer of the stream of the users' table: writes the audit log, forgets deleted users, and tells other systems.
//!
//! **Guarantees.** Each change is handled at least once, and each step may be repeated: a fact is in the log once, and
//! an event that is published again has the same id. When `user.deleted` is published, all sessions and API keys that the
//! user had are deleted, and the second factors.
//!
//! | a change | does |
//! |---|---|
//! | of an account, a session, an API key, a passkey, another second factor, an application, an identity, a tenant, a member, an invitation or the keys | appends its facts to the audit log ([`audit`]) |
//! | a new account | publishes `user.created` |
//! | a tenant, or a member of one: new, gone | publishes `tenant.created`, `tenant.deleted`, `member.joined`, `member.left` |
//! | a deleted account | deletes the user's sessions, API keys, identities, passkeys and second factor, then publishes `user.deleted` |
//! | a session or an enrolment without an account | deletes it: it began during the deletion |

use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::audit::{AuditLog, Chain, Fact};
use shared::batch::{Change, Failure, StreamEvent};
use shared::bus::{Bus, Event};
use shared::clock::Clock;
use shared::id::{TenantId, UserId};
use shared::invocation::Invocation;
use shared::program::Environment;

use crate::audit;
use crate::store::Users;
use crate::store::changes::{Account, Address, Item};
use crate::system;
use crate::tenant::{Member, Tenant};

/// The source of the events.
pub const SOURCE: &str = "arsenal.auth";

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let relay = Relay {
        users: system::users(environment)?,
        log: system::audit_log(environment)?,
        bus: environment.bus(SOURCE)?,
        clock: environment.clock.clone(),
        stream: stream(environment.dead_letters()?),
    };
    shared::invocation::run(async |batch, invocation| relay.batch(batch, &invocation).await).await
}

/// The stream of the table, whose changes end in `dead_letters` without the hash of a password.
#[must_use]
pub fn stream(dead_letters: shared::queue::Queue) -> shared::relay::Relay {
    shared::relay::Relay::new(dead_letters).hiding("password_hash")
}

/// The task's dependencies.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The users' table.
    pub users: Users,
    /// The audit log.
    pub log: AuditLog,
    /// The bus.
    pub bus: Bus,
    /// The clock.
    pub clock: Clock,
    /// Reads the stream.
    pub stream: shared::relay::Relay,
}

/// The data of the events.
#[derive(Clone, Debug, Serialize)]
struct Told {
    /// Absent for a tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    tenant: TenantId,
}

impl Relay {
    /// Handles a batch of changes.
    pub async fn batch(&self, batch: StreamEvent, invocation: &Invocation) -> Result<()> {
        let handler = async |change| self.change(&change).await;
        Box::pin(self.stream.changes(batch, invocation, handler)).await
    }

    async fn change(&self, change: &Change<Item>) -> Result<(), Failure> {
        let now = self.clock.now();
        let mut facts = audit::facts(change, now);
        if let Some(Item::Address(address)) = &change.new {
            facts.extend(self.moved(change, address, now).await?);
        }
        for (chain, fact) in facts {
            self.log.append(chain, &fact, now).await?;
        }
        match (&change.old, &change.new) {
            (Some(Item::Account(old)), None) => self.users.forget(old.id).await?,
            // It began while the account was deleted, and can never be used.
            (None, Some(Item::Session(new))) if self.users.account(new.user).await?.is_none() => {
                self.users.forget(new.user).await?;
            }
            (None, Some(Item::Totp(new))) if self.users.account(new.user).await?.is_none() => {
                self.users.forget(new.user).await?;
            }
            _ => {}
        }
        let Some((kind, told, at)) = told(change, now) else { return Ok(()) };
        let event = Event::new(kind, &change.event_id, at, told.clone()).tenant(&told.tenant);
        let event = match told.user {
            Some(user) => event.subject(&user),
            None => event.subject(&told.tenant),
        };
        Ok(self.bus.publish(event).await?)
    }

    /// The fact that an address leads to an account that has another address: its reader could reset the password.
    async fn moved(
        &self,
        change: &Change<Item>,
        address: &Address,
        now: Timestamp,
    ) -> Result<Vec<(Chain, Fact)>> {
        let account = self.users.account(address.user).await?;
        let other = account.filter(|account| account.user.email != address.email);
        Ok(other.map(|account| audit::moved(change, &account, now)).unwrap_or_default())
    }
}

/// What other systems are told of a change that the function sees at `now`.
fn told(change: &Change<Item>, now: Timestamp) -> Option<(&'static str, Told, Timestamp)> {
    let of_user = |of: &Account| Told { user: Some(of.id), tenant: of.tenant };
    let of_tenant = |of: &Tenant| Told { user: None, tenant: of.id };
    let of_member = |of: &Member| Told { user: Some(of.user), tenant: of.tenant };
    Some(match (&change.old, &change.new) {
        (None, Some(Item::Account(new))) => ("user.created", of_user(new), new.created_at),
        (Some(Item::Account(old)), None) => ("user.deleted", of_user(old), now),
        (None, Some(Item::Tenant(new))) => ("tenant.created", of_tenant(new), new.created_at),
        (Some(Item::Tenant(old)), None) => ("tenant.deleted", of_tenant(old), now),
        (None, Some(Item::Member(new))) => ("member.joined", of_member(new), new.joined_at),
        (Some(Item::Member(old)), None) => ("member.left", of_member(old), now),
        _ => return None,
    })
}
