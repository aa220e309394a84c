//! How far our books are compared with the provider's, and what of the provider's is not explained.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{Result, write};

use super::{Item, Store, key};
use crate::payments::movements::{Moved, Window};

const PARTITION: &str = "RECONCILIATION";
const OPEN: &str = "OPEN#";

/// How far the provider's movements are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The window that is being looked at.
    pub window: Window,
    /// The last movement that was looked at, if the window is begun: the next page starts after it.
    pub after: Option<String>,
}

/// A movement of the provider's that our books do not explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// What moved.
    pub moved: Moved,
    /// Why it is not explained.
    pub why: String,
    /// When that was found.
    pub since: Timestamp,
}

impl Store {
    /// How far the provider's movements are looked at. 1 RRU.
    pub async fn cursor(&self) -> Result<Option<Cursor>> {
        self.item(key(PARTITION, "CURSOR")).await
    }

    /// Keeps how far they are. 1 WRU.
    pub async fn keep_cursor(&self, cursor: &Cursor) -> Result<()> {
        self.put("reconcile.keep_cursor", key(PARTITION, "CURSOR"), cursor).await
    }

    /// What is not explained. 1 RRU for 4 KB.
    pub async fn open_movements(&self) -> Result<Vec<Open>> {
        self.items(PARTITION.into(), OPEN).await
    }

    /// Keeps what is not explained. 1 WRU for 1 KB.
    pub async fn keep_open(&self, open: &Open) -> Result<()> {
        self.put("reconcile.keep_open", open_key(&open.moved), open).await
    }

    /// It is explained. 1 WRU.
    pub async fn close(&self, moved: &Moved) -> Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        write::send("reconcile.close", delete.set_key(Some(open_key(moved)))).await?;
        Ok(())
    }

    /// Puts an item, at the point that tests know by `name`.
    async fn put<T: Serialize>(&self, name: &'static str, key: Item, content: &T) -> Result<()> {
        let mut item: Item = serde_dynamo::to_item(content)?;
        item.extend(key);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        write::send(name, put).await?;
        Ok(())
    }
}

fn open_key(moved: &Moved) -> Item {
    key(PARTITION, format!("{OPEN}{}", moved.id))
}
