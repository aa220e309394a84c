//! The progress of the reconciliation, and the provider's movements without an explanation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::table::{Item, key};
use shared::{Result, write};

use super::Store;
use crate::payments::movements::{ProviderMovement, Window};

const PARTITION: &str = "RECONCILIATION";
const OPEN: &str = "OPEN#";

/// The progress through the provider's movements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The current window.
    pub window: Window,
    /// The last movement of the last page, if the window is in progress. The next page starts after it.
    pub after: Option<String>,
}

/// A movement at the provider that the ledger does not explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMovement {
    /// The movement.
    pub moved: ProviderMovement,
    /// Why it is open.
    pub why: String,
    /// When it was found.
    pub since: Timestamp,
}

impl Store {
    /// The stored progress. 1 RRU.
    pub async fn cursor(&self) -> Result<Option<Cursor>> {
        self.table.get(key(PARTITION, "CURSOR")).await
    }

    /// Stores the progress. 1 WRU.
    pub async fn put_cursor(&self, cursor: &Cursor) -> Result<()> {
        let put = self.table.put(key(PARTITION, "CURSOR"), cursor)?;
        write::send("reconcile.keep_cursor", put).await?;
        Ok(())
    }

    /// The open movements. 1 RRU for 4 KB.
    pub async fn open_movements(&self) -> Result<Vec<OpenMovement>> {
        self.table.all(PARTITION, OPEN).await
    }

    /// Stores an open movement. 1 WRU for 1 KB.
    pub async fn put_open(&self, open: &OpenMovement) -> Result<()> {
        write::send("reconcile.keep_open", self.table.put(open_key(&open.moved), open)?).await?;
        Ok(())
    }

    /// Deletes an open movement that is now explained. 1 WRU.
    pub async fn delete_open(&self, moved: &ProviderMovement) -> Result<()> {
        write::send("reconcile.close", self.table.delete(open_key(moved))).await?;
        Ok(())
    }
}

fn open_key(moved: &ProviderMovement) -> Item {
    key(PARTITION, format!("{OPEN}{}", moved.id))
}
