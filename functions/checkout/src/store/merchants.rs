//! Where merchants' webhooks go: one partition of a few items.

use shared::{Result, write};

use super::{Item, Store, key};
use crate::merchant::{Endpoint, EndpointName};

impl Store {
    /// All endpoints. 1 RRU for 4 KB.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.items("MERCHANT".into(), "ENDPOINT#").await
    }

    /// The endpoint. 1 RRU.
    pub async fn endpoint(&self, name: &EndpointName) -> Result<Option<Endpoint>> {
        self.item(endpoint_key(name)).await
    }

    /// Puts an endpoint in the place of the one of its name. 1 WRU.
    pub async fn put_endpoint(&self, endpoint: &Endpoint) -> Result<()> {
        let mut item: Item = serde_dynamo::to_item(endpoint)?;
        item.extend(endpoint_key(&endpoint.name));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        write::send("endpoints.put", put).await?;
        Ok(())
    }

    /// Removes an endpoint, if it is there. 1 WRU.
    pub async fn remove_endpoint(&self, name: &EndpointName) -> Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        write::send("endpoints.remove", delete.set_key(Some(endpoint_key(name)))).await?;
        Ok(())
    }
}

fn endpoint_key(name: &EndpointName) -> Item {
    key("MERCHANT", format!("ENDPOINT#{name}"))
}
