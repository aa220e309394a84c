//! Products: all in one partition, which DynamoDB splits when it grows.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, TransactWriteItem};
use inventory::Sku;
use serde::Deserialize;
use shared::Result;
use shared::table::{Item, Table, key, value};
use shared::write::{self, Written};

use super::Store;
use crate::money::Money;
use crate::product::Product;

const PRODUCT: &str = "PRODUCT#";

#[derive(Deserialize)]
struct Listed {
    sk: String,
    #[serde(flatten)]
    product: Product,
}

impl Listed {
    fn named(self) -> Result<(Sku, Product)> {
        Ok((self.sk.trim_start_matches(PRODUCT).parse()?, self.product))
    }
}

impl Store {
    /// The product. 1 RRU.
    pub async fn product(&self, sku: &Sku) -> Result<Option<Product>> {
        self.table.get(product_key(sku)).await
    }

    /// The products that exist, strongly consistent. 1 RRU each.
    pub async fn products_by_sku<'a>(
        &self,
        skus: impl Iterator<Item = &'a Sku>,
    ) -> Result<BTreeMap<Sku, Product>> {
        let listed: Vec<Listed> = self.table.batch(skus.map(product_key).collect()).await?;
        listed.into_iter().map(Listed::named).collect()
    }

    /// Up to `limit` products on sale, sorted by SKU, starting after `after`; and the `after` of the next page,
    /// if there is one. 0.5 RRU for 4 KB, including products that are not on sale.
    pub async fn products(
        &self,
        after: Option<&Sku>,
        limit: i32,
    ) -> Result<(Vec<(Sku, Product)>, Option<Sku>)> {
        let query = self
            .table
            .query("CATALOGUE", PRODUCT)
            .filter_expression("active = :true")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .set_exclusive_start_key(after.map(product_key));
        let (listed, has_more) = Table::page::<Listed>(query, limit).await?;
        let products = listed.into_iter().map(Listed::named).collect::<Result<Vec<_>>>()?;
        let last = products.last().filter(|_| has_more).map(|(sku, _)| sku.clone());
        Ok((products, last))
    }

    /// The condition that a product is on sale at this price. 2 WRU.
    pub(crate) fn price_check(&self, sku: &Sku, price: Money) -> Result<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(self.table.name())
            .set_key(Some(product_key(sku)))
            .condition_expression("#active = :true AND #price = :price")
            .expression_attribute_names("#active", "active")
            .expression_attribute_names("#price", "price")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":price", value(&price)?)
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Creates a product, or replaces the product `before`. Returns `false` if there is another one now. 1 WRU.
    pub async fn put_product(
        &self,
        sku: &Sku,
        before: Option<&Product>,
        product: &Product,
    ) -> Result<bool> {
        let put = self.table.put(product_key(sku), product)?;
        let put = match before {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(before) => put
                .condition_expression("#name = :name AND #price = :price AND #active = :active")
                .expression_attribute_names("#name", "name")
                .expression_attribute_names("#price", "price")
                .expression_attribute_names("#active", "active")
                .expression_attribute_values(":name", value(&before.name)?)
                .expression_attribute_values(":price", value(&before.price)?)
                .expression_attribute_values(":active", value(&before.active)?),
        };
        Ok(matches!(write::send("products.put", put).await?, Written::Made(_)))
    }
}

fn product_key(sku: &Sku) -> Item {
    key("CATALOGUE", format!("{PRODUCT}{sku}"))
}
