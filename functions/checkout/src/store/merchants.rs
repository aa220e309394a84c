//! Where merchants' webhooks go: one partition of a few items.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use shared::Result;

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
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Notes that an endpoint's receiver is gone, unless the endpoint has another URL by now. 1 WRU.
    pub async fn endpoint_gone(&self, endpoint: &Endpoint, at: Timestamp) -> Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .set_key(Some(endpoint_key(&endpoint.name)))
            .update_expression("SET webhook.gone_at = :at")
            .condition_expression("webhook.#url = :url")
            .expression_attribute_names("#url", "url")
            .expression_attribute_values(":url", AttributeValue::S(endpoint.webhook.url.clone()))
            .expression_attribute_values(":at", AttributeValue::S(at.to_string()));
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an endpoint, if it is there. 1 WRU.
    pub async fn remove_endpoint(&self, name: &EndpointName) -> Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        delete.set_key(Some(endpoint_key(name))).send().await?;
        Ok(())
    }
}

fn endpoint_key(name: &EndpointName) -> Item {
    key("MERCHANT", format!("ENDPOINT#{name}"))
}
