//! How far our books are compared with the provider's, and what of the provider's is not explained.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::table::{Item, key};
use shared::{Result, write};

use super::Store;
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
        self.table.get(key(PARTITION, "CURSOR")).await
    }

    /// Keeps how far they are. 1 WRU.
    pub async fn keep_cursor(&self, cursor: &Cursor) -> Result<()> {
        let put = self.table.put(key(PARTITION, "CURSOR"), cursor)?;
        write::send("reconcile.keep_cursor", put).await?;
        Ok(())
    }

    /// What is not explained. 1 RRU for 4 KB.
    pub async fn open_movements(&self) -> Result<Vec<Open>> {
        self.table.all(PARTITION, OPEN).await
    }

    /// Keeps what is not explained. 1 WRU for 1 KB.
    pub async fn keep_open(&self, open: &Open) -> Result<()> {
        write::send("reconcile.keep_open", self.table.put(open_key(&open.moved), open)?).await?;
        Ok(())
    }

    /// It is explained. 1 WRU.
    pub async fn close(&self, moved: &Moved) -> Result<()> {
        write::send("reconcile.close", self.table.delete(open_key(moved))).await?;
        Ok(())
    }
}

fn open_key(moved: &Moved) -> Item {
    key(PARTITION, format!("{OPEN}{}", moved.id))
}
