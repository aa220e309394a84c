//! The audit log: what happened, in chains of entries that nobody can change unseen.
//!
//! **Guarantees.**
//!
//! - Each tenant has a chain of its own, and the installation has one. An entry has the next number of its chain and the
//!   hash of the entry before it. So an entry that is altered, removed, added or moved to another chain breaks the chain at
//!   a place that a check names.
//! - A fact is in its chain once, however often it is appended: facts have ids.
//! - Entries are only added. No function here changes or deletes one, and `PutItem` is all that a role needs for writing.
//!
//! A chain does not protect against somebody who can write to the table and computes all later hashes anew. So the hash
//! of each new entry is logged too: compare the last one with the log, which has other permissions.
//!
//! The hash is the SHA-256 of the item without its keys and its `hash`, in the form of Python's
//! `json.dumps(…, sort_keys=True)`. `infra/audit.py` checks chains, and shares no code with this module.
//!
//! A system writes facts about changes of its table, which its table's stream tells ([`relay`](crate::relay)): so the
//! fact is written if and only if the change is made.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::conflict::retried;
use crate::id::TenantId;
use crate::idempotency::canonical;
use crate::idempotency::hash::hex;
use crate::table::{Item, Table, key};
use crate::transaction::Sent;
use crate::{Error, Result};

/// How long a fact is known by its id. Longer than a stream keeps changes (a day), and than dead letters of a relay wait
/// (14 days).
const FACTS_KNOWN: Duration = Duration::from_hours(15 * 24);
/// What the first entry of a chain has in place of the hash of the entry before it.
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A chain of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// What concerns the users and the data of a tenant.
    Tenant(TenantId),
    /// What concerns all tenants: the keys of tokens.
    Installation,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(tenant) => tenant.fmt(f),
            Self::Installation => f.write_str("installation"),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fact {
    /// Tells the fact from all others: the id of the change in a stream.
    #[serde(rename = "fact")]
    #[schema(max_length = 100)]
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, such as `session.begun`.
    #[schema(max_length = 50, example = "session.begun")]
    pub kind: String,
    /// Whom or what it is about: an id.
    #[schema(max_length = 100, example = "usr_01M7YRRT800000000000000000")]
    pub subject: String,
    /// What else is known of it, by name.
    pub details: BTreeMap<String, String>,
}

/// An entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// The chain: the tenant's id, or `installation`.
    #[schema(max_length = 30, example = "ten_01M7YRRT800000000000000001")]
    pub chain: String,
    /// The place in the chain, from 1 on.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub number: u64,
    /// The hash of the entry before it, in hexadecimal; zeros for the first.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub previous: String,
    /// The fact.
    #[serde(flatten)]
    pub fact: Fact,
    /// The hash of all other members, in hexadecimal.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub hash: String,
}

impl Entry {
    /// The entry of a fact after the head of a chain.
    fn after(head: &Head, chain: Chain, fact: &Fact) -> Result<Self> {
        let mut entry = Self {
            chain: chain.to_string(),
            number: head.number + 1,
            previous: head.hash.clone(),
            fact: fact.clone(),
            hash: String::new(),
        };
        entry.hash = hash(&serde_json::to_value(&entry)?)?;
        Ok(entry)
    }
}

/// The hash of an entry without its `hash`.
fn hash(entry: &Value) -> Result<String> {
    let text = canonical(&serde_json::to_vec(entry)?)?;
    Ok(hex(&Sha256::digest(text.as_bytes())))
}

/// The last entry of a chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    number: u64,
    hash: String,
}

/// The audit log.
#[derive(Clone, Debug)]
pub struct AuditLog {
    table: Table,
}

impl AuditLog {
    /// The log in a table with the keys `pk` and `sk`, and the TTL attribute `expires`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { table: Table::new(client, table) }
    }

    /// Appends a fact to a chain, unless it is in the log: then it gives `None`. 1 RRU, 6 WRU.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or other writers append to the chain all the time.
    pub async fn append(&self, chain: Chain, fact: &Fact, now: Timestamp) -> Result<Option<Entry>> {
        let appended = retried(async || {
            let head: Option<Head> = self.table.get(head_key(chain)).await?;
            let head = head.unwrap_or(Head { number: 0, hash: NO_HASH.to_owned() });
            self.append_after(&head, chain, fact, now).await
        });
        let entry = appended.await?;
        if let Some(Entry { number, hash, fact, .. }) = &entry {
            tracing::info!(%chain, number, hash, kind = fact.kind, subject = fact.subject, "audited");
        }
        Ok(entry)
    }

    /// Appends a fact if `head` is the head. Gives `None` if it is not, and `Some(None)` if the fact is in the log.
    async fn append_after(
        &self,
        head: &Head,
        chain: Chain,
        fact: &Fact,
        now: Timestamp,
    ) -> Result<Option<Option<Entry>>> {
        #[derive(Serialize)]
        struct Known {
            expires: i64,
        }
        let entry = Entry::after(head, chain, fact)?;
        let next = Head { number: entry.number, hash: entry.hash.clone() };
        let known = Known { expires: (now + FACTS_KNOWN).as_second() };
        let writes = vec![
            self.table.new_item(key(format!("FACT#{}", fact.id), "FACT"), &known)?,
            self.table.new_item(entry_key(chain, entry.number), &entry)?,
            // Without a condition: only one writer can add the entry with this number.
            crate::table::put(self.table.putting(head_key(chain), &next)?)?,
        ];
        // The same entry is the same transaction. It has 34 characters of 36.
        let hash = entry.hash.get(..24).ok_or_else(|| Error::internal("a hash is too short"))?;
        let token = &format!("{hash}{}", known.expires);
        Ok(match self.table.transact("audit.append", token, writes).await? {
            Sent::Made => Some(Some(entry)),
            Sent::Refused { index: 0, .. } => Some(None),
            Sent::Refused { .. } => None,
        })
    }

    /// Up to `limit` entries of a chain, newest first, before the entry with number `before`; and whether there are
    /// more. 0.5 RRU for 4 KB.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn entries(
        &self,
        chain: Chain,
        before: Option<u64>,
        limit: i32,
    ) -> Result<(Vec<Entry>, bool)> {
        let query = self
            .table
            .query(partition(chain), "ENTRY#")
            .scan_index_forward(false)
            .set_exclusive_start_key(before.map(|before| entry_key(chain, before)));
        Table::page(query, limit).await
    }
}

fn partition(chain: Chain) -> String {
    format!("CHAIN#{chain}")
}

fn head_key(chain: Chain) -> Item {
    key(partition(chain), "HEAD")
}

fn entry_key(chain: Chain, number: u64) -> Item {
    key(partition(chain), format!("ENTRY#{number:016}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, details: &[(&str, &str)]) -> Entry {
        let details = details.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let fact = Fact {
            id: "c4ca4238".into(),
            at: "2026-11-30T10:00:00Z".parse().unwrap(),
            kind: "session.begun".into(),
            subject: "usr_01M7YRRT800000000000000000".into(),
            details: details.collect(),
        };
        let head = Head { number: number - 1, hash: NO_HASH.to_owned() };
        Entry::after(&head, Chain::Installation, &fact).unwrap()
    }

    /// Python's `hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()` of the same entry.
    #[test]
    fn a_hash_is_what_python_computes() {
        let entry = entry(7, &[("user_agent", "curl „ü“")]);
        assert_eq!(entry.hash, "055a8bbbecc5b46195136647bac9ddb78dba43825fa7dab8540700ca3c4bf863");
    }

    #[test]
    fn each_member_changes_the_hash() {
        let original = serde_json::to_value(entry(7, &[("ip", "203.0.113.7")])).unwrap();
        let mut seen = std::collections::BTreeSet::from([original["hash"].to_string()]);
        for place in
            ["/chain", "/number", "/previous", "/fact", "/at", "/kind", "/subject", "/details/ip"]
        {
            let mut altered = original.clone();
            altered.as_object_mut().unwrap().remove("hash");
            *altered.pointer_mut(place).unwrap() = 8.into();
            assert!(seen.insert(format!("\"{}\"", hash(&altered).unwrap())), "{place}");
        }
    }
}
