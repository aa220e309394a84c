//! Merchants' webhook endpoints: one partition with a few items.
//!
//! One more item counts the changes. Of two concurrent changes, one fails and is tried again. So the
//! number of endpoints never exceeds the maximum, and the secret that a response shows is the secret
//! that signs.

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

/// A snapshot of all endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// The endpoints, by name.
    pub all: Vec<Endpoint>,
    /// The number of changes so far.
    changes: u64,
}

#[derive(Deserialize, Serialize)]
struct Changes {
    changes: u64,
}

impl Store {
    /// All endpoints. 1 RRU per 4 KB.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.table.all(MERCHANT, "ENDPOINT#").await
    }

    /// All endpoints, to change one of them. 1 RRU per 4 KB.
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

    /// The store of endpoints and their deliveries.
    #[must_use]
    pub fn webhooks(&self) -> webhook::Store {
        webhook::Store::new(self.table.clone())
    }

    /// The keys of an endpoint and its deliveries.
    #[must_use]
    pub fn place(name: &EndpointName) -> Place {
        Place {
            endpoint: (MERCHANT.to_owned(), endpoint_sort_key(name)),
            deliveries: format!("DELIVERIES#{name}"),
        }
    }

    /// Creates or replaces the endpoint. Returns `false`, without a write, if an endpoint was put since
    /// `before` or if the secret of this endpoint changed. Each call needs a new `token`. 4 WRU.
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

    /// Removes an endpoint, if it exists. 1 WRU.
    pub async fn remove_endpoint(&self, name: &EndpointName) -> Result<()> {
        write::send("endpoints.remove", self.table.delete(endpoint_key(name))).await?;
        Ok(())
    }
}

/// The common prefix of the sort keys.
const CHANGES_AND_ENDPOINTS: &str = "ENDPOINT";

fn endpoint_key(name: &EndpointName) -> Item {
    key(MERCHANT, endpoint_sort_key(name))
}

fn endpoint_sort_key(name: &EndpointName) -> String {
    format!("ENDPOINT#{name}")
}
