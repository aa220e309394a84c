//! The ledger: entries that are written once, and balances that follow from them.
//!
//! Payments do not update balances, so they do not wait for each other: each payment writes its own
//! entries, and a task adds up to [`MAX_FOLDED`] of them to the balances in one transaction.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Deserialize;
use serde_json::Value;
use shared::table::{self, Item, key, number};
use shared::transaction::{self, Sent};
use shared::{Error, Result};

use super::{Store, caused};
use crate::ledger::{Account, Balance, Entry, Resolution, Transfer, TrialBalance};
use crate::money::Currency;
use crate::order::OrderId;

/// The maximum number of entries in one fold. Each entry has one mark and changes at most two accounts.
pub const MAX_FOLDED: usize = transaction::MAX_ITEMS / 3;
const BALANCES: &str = "BALANCES";
const TRANSFER: &str = "TRANSFER#";
const RESOLUTION: &str = "RESOLUTION#";

#[derive(Deserialize)]
struct Folded {
    sk: String,
    #[serde(flatten)]
    balance: Balance,
}

#[derive(Deserialize)]
struct Mark {
    pk: String,
    sk: String,
}

impl Store {
    /// The write of a transfer. 2 WRU.
    pub(crate) fn transfer(&self, transfer: &Transfer) -> Result<TransactWriteItem> {
        let entry = Entry::Transfer(transfer.clone());
        self.table.new_item(caused(entry.key()), transfer)
    }

    /// The write that resolves a pending transfer. Refused if it is resolved. 2 WRU.
    pub(crate) fn resolution(&self, resolution: &Resolution) -> Result<TransactWriteItem> {
        let entry = Entry::Resolution(resolution.clone());
        self.table.new_item(caused(entry.key()), resolution)
    }

    /// The ledger entries of an order, strongly consistent. 1 RRU for 4 KB.
    pub async fn entries(&self, order: OrderId) -> Result<Vec<Entry>> {
        let transfers: Vec<Transfer> = self.table.all(ledger(order), TRANSFER).await?;
        let resolutions: Vec<Resolution> = self.table.all(ledger(order), RESOLUTION).await?;
        let transfers = transfers.into_iter().map(Entry::Transfer);
        Ok(transfers.chain(resolutions.into_iter().map(Entry::Resolution)).collect())
    }

    /// The balances. They lag behind the entries by the delay of the stream and the queue. 1 RRU for 4 KB.
    pub async fn balances(&self) -> Result<TrialBalance> {
        let folded: Vec<Folded> = self.table.all(BALANCES, "").await?;
        let named = |Folded { sk, balance }: Folded| {
            let (currency, account) = sk.split_once('#').unwrap_or_default();
            let account = Account::ALL.into_iter().find(|known| known.name() == account);
            let account = account.ok_or_else(|| Error::internal("unknown account"))?;
            Ok(((currency.parse::<Currency>()?, account), balance))
        };
        Ok(TrialBalance(folded.into_iter().map(named).collect::<Result<_>>()?))
    }

    /// Parses an item of the table. `None` if it is not a ledger entry.
    pub fn entry(item: Value) -> serde_json::Result<Option<Entry>> {
        let sk = item["sk"].as_str().unwrap_or_default();
        Ok(if sk.starts_with(TRANSFER) {
            Some(Entry::Transfer(serde_json::from_value(item)?))
        } else if sk.starts_with(RESOLUTION) {
            Some(Entry::Resolution(serde_json::from_value(item)?))
        } else {
            None
        })
    }

    /// Adds entries to the balances. Each entry counts once, however often it comes. `token` must be unique
    /// for each call. 2 WRU for each entry and for each changed account.
    pub async fn fold(&self, token: &str, entries: &[Entry]) -> Result<()> {
        let mut sent = 0;
        let mut left: Vec<Entry> = Vec::new();
        for entry in entries {
            // A batch may have an entry twice, and a transaction must not have an item twice.
            if !left.contains(entry) {
                left.push(entry.clone());
            }
        }
        while !left.is_empty() {
            let items = self.fold_writes(&left)?;
            sent += 1;
            let token = format!("{token}-{sent}");
            match self.table.transact("ledger.fold", &token, items).await? {
                Sent::Made => return Ok(()),
                Sent::Refused { .. } => left = self.unfolded(left).await?,
            }
        }
        Ok(())
    }

    fn fold_writes(&self, entries: &[Entry]) -> Result<Vec<TransactWriteItem>> {
        let mut writes = Vec::with_capacity(transaction::MAX_ITEMS);
        for entry in entries {
            let mark = self.table.marking(mark(entry));
            writes.push(table::put(mark.condition_expression("attribute_not_exists(pk)"))?);
        }
        let mut changes: BTreeMap<_, Balance> = BTreeMap::new();
        for (account, change) in entries.iter().flat_map(Entry::changes) {
            *changes.entry(account).or_default() += change;
        }
        for ((currency, account), change) in changes {
            let update = self
                .table
                .updating(key(BALANCES, format!("{currency}#{}", account.name())))
                .update_expression(
                    "ADD debits :debits, credits :credits, \
                     pending_debits :pending_debits, pending_credits :pending_credits",
                )
                .expression_attribute_values(":debits", number(change.debits))
                .expression_attribute_values(":credits", number(change.credits))
                .expression_attribute_values(":pending_debits", number(change.pending_debits))
                .expression_attribute_values(":pending_credits", number(change.pending_credits));
            writes.push(table::update(update)?);
        }
        Ok(writes)
    }

    /// The entries that have no mark yet.
    async fn unfolded(&self, entries: Vec<Entry>) -> Result<Vec<Entry>> {
        let found: Vec<Mark> = self.table.batch(entries.iter().map(mark).collect()).await?;
        let found: Vec<Item> = found.into_iter().map(|Mark { pk, sk }| key(pk, sk)).collect();
        Ok(entries.into_iter().filter(|entry| !found.contains(&mark(entry))).collect())
    }
}

impl Entry {
    fn key(&self) -> Item {
        key(ledger(self.movement().order), self.sort_key())
    }

    fn sort_key(&self) -> String {
        let cause = String::from(self.movement().cause.clone());
        match self {
            Self::Transfer(_) => format!("{TRANSFER}{cause}"),
            Self::Resolution(_) => format!("{RESOLUTION}{cause}"),
        }
    }
}

fn ledger(order: OrderId) -> String {
    format!("LEDGER#{order}")
}

/// The key of the mark that an entry is part of the balances.
fn mark(entry: &Entry) -> Item {
    key(ledger(entry.movement().order), format!("FOLDED#{}", entry.sort_key()))
}
