//! Where merchants' webhooks go: one partition of a few items.
//!
//! One item more counts the changes, so that of two at once one is refused and tried again: there are
//! never more endpoints than may be, and a secret that was handed out is the one that signs.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use shared::Result;
use shared::transaction::{self, Sent};
use shared::write;

use super::{Item, Store, key, number, string};
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

#[derive(Deserialize)]
struct Changes {
    changes: u64,
}

impl Store {
    /// All endpoints. 1 RRU for 4 KB.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.items(MERCHANT.into(), "ENDPOINT#").await
    }

    /// All endpoints, to change one of them. 1 RRU for 4 KB.
    pub async fn endpoints_to_change(&self) -> Result<Endpoints> {
        let items: Vec<Value> = self.items(MERCHANT.into(), CHANGES_AND_ENDPOINTS).await?;
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
        self.item(endpoint_key(name)).await
    }

    /// Puts an endpoint in the place of the one of its name, if none was put since `before`; tells
    /// whether that is so. `token` is new each time. 4 WRU.
    pub async fn put_endpoint(
        &self,
        token: &str,
        before: &Endpoints,
        endpoint: &Endpoint,
    ) -> Result<bool> {
        let count = Put::builder()
            .table_name(&self.table)
            .set_item(Some(key(MERCHANT, CHANGES)))
            .item("changes", number(before.changes + 1))
            .condition_expression("attribute_not_exists(pk) OR changes = :before")
            .expression_attribute_values(":before", number(before.changes))
            .build()?;
        let mut item: Item = serde_dynamo::to_item(endpoint)?;
        item.extend(endpoint_key(&endpoint.name));
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build()?;
        let items = [count, put].map(|put| TransactWriteItem::builder().put(put).build()).to_vec();
        let sent = transaction::send("endpoints.put", &self.client, token, items).await?;
        Ok(matches!(sent, Sent::Made))
    }

    /// Notes that an endpoint's receiver is gone, unless the endpoint has been put again since. 1 WRU.
    pub async fn endpoint_gone(&self, endpoint: &Endpoint, at: Timestamp) -> Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .set_key(Some(endpoint_key(&endpoint.name)))
            .update_expression("SET webhook.gone_at = :at")
            .condition_expression("webhook.secret = :secret")
            .expression_attribute_values(":secret", string(endpoint.webhook.secret.expose_secret()))
            .expression_attribute_values(":at", string(at.to_string()));
        // Refused, the endpoint has been put again or removed.
        write::send("endpoints.gone", update).await?;
        Ok(())
    }

    /// Removes an endpoint, if it is there. 1 WRU.
    pub async fn remove_endpoint(&self, name: &EndpointName) -> Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        write::send("endpoints.remove", delete.set_key(Some(endpoint_key(name)))).await?;
        Ok(())
    }
}

/// What the sort keys of both begin with.
const CHANGES_AND_ENDPOINTS: &str = "ENDPOINT";

fn endpoint_key(name: &EndpointName) -> Item {
    key(MERCHANT, format!("ENDPOINT#{name}"))
}
