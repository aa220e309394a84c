//! Where merchants' webhooks go: one partition of a few items.
//!
//! One item more counts the changes, so that of two at once one is refused and tried again: there are
//! never more endpoints than may be, and a secret that was handed out is the one that signs.

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::Result;
use shared::table::{self, Item, key, number, string};
use shared::transaction::Sent;
use shared::webhook::{self, Place};
use shared::write;

use super::Store;
use crate::merchant::{Endpoint, EndpointName};

const MERCHANT: &str = "MERCHANT";
const CHANGES: &str = "ENDPOINTS";

/// All endpoints, as they are at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// The endpoints, by name.
    pub all: Vec<Endpoint>,
    /// How many changes there were.
    changes: u64,
}

#[derive(Deserialize, Serialize)]
struct Changes {
    changes: u64,
}

impl Store {
    /// All endpoints. 1 RRU for 4 KB.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.table.all(MERCHANT, "ENDPOINT#").await
    }

    /// All endpoints, to change one of them. 1 RRU for 4 KB.
    pub async fn endpoints_to_change(&self) -> Result<Endpoints> {
        let items: Vec<Value> = self.table.all(MERCHANT, CHANGES_AND_ENDPOINTS).await?;
        let mut found = Endpoints::default();
        for item in items {
            if item["sk"] == CHANGES {
                let Changes { changes } = serde_json::from_value(item)?;
                found.changes = changes;
            } else {
                found.all.push(serde_json::from_value(item)?);
            }
        }
        Ok(found)
    }

    /// The endpoint. 1 RRU.
    pub async fn endpoint(&self, name: &EndpointName) -> Result<Option<Endpoint>> {
        self.table.get(endpoint_key(name)).await
    }

    /// What is kept of endpoints and of what was posted to them.
    #[must_use]
    pub fn webhooks(&self) -> webhook::Store {
        webhook::Store::new(self.table.clone())
    }

    /// Where an endpoint and its deliveries are.
    #[must_use]
    pub fn place(name: &EndpointName) -> Place {
        Place {
            endpoint: (MERCHANT.to_owned(), endpoint_sort_key(name)),
            deliveries: format!("DELIVERIES#{name}"),
        }
    }

    /// Puts an endpoint in the place of the one of its name, if none was put since `before` and that
    /// one's secret was not changed; tells whether that is so. `token` is new each time. 4 WRU.
    pub async fn put_endpoint(
        &self,
        token: &str,
        before: &Endpoints,
        endpoint: &Endpoint,
    ) -> Result<bool> {
        let count = Changes { changes: before.changes + 1 };
        let count = self
            .table
            .putting(key(MERCHANT, CHANGES), &count)?
            .condition_expression("attribute_not_exists(pk) OR changes = :before")
            .expression_attribute_values(":before", number(before.changes));
        let mut put = self.table.putting(endpoint_key(&endpoint.name), endpoint)?;
        if let Some(known) = before.all.iter().find(|known| known.name == endpoint.name) {
            let secret = known.webhook.secret.expose_secret();
            put = put
                .condition_expression("webhook.secret = :secret")
                .expression_attribute_values(":secret", string(secret));
        }
        let items = vec![table::put(count)?, table::put(put)?];
        let sent = self.table.transact("endpoints.put", token, items).await?;
        Ok(matches!(sent, Sent::Made))
    }

    /// Removes an endpoint, if it is there. 1 WRU.
    pub async fn remove_endpoint(&self, name: &EndpointName) -> Result<()> {
        write::send("endpoints.remove", self.table.delete(endpoint_key(name))).await?;
        Ok(())
    }
}

/// What the sort keys of both begin with.
const CHANGES_AND_ENDPOINTS: &str = "ENDPOINT";

fn endpoint_key(name: &EndpointName) -> Item {
    key(MERCHANT, endpoint_sort_key(name))
}

fn endpoint_sort_key(name: &EndpointName) -> String {
    format!("ENDPOINT#{name}")
}
