//! The cost of a checkout in DynamoDB requests and units, by DynamoDB's rules
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>),
//! from the sent requests and the sizes of the written items.

use std::fmt::Write;

use aws_sdk_dynamodb::types::AttributeValue;
use checkout::fold_ledger::FoldLedger;
use checkout::order::State;
use serde_json::Value;
use testing::account;
use testing::provider::GOOD;
use testing::requests::Requests;

use crate::support::{Shop, shop_with, sku};

/// The cost of some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    requests: u64,
    /// Write request units, including the index.
    writes: u64,
    /// Read request units, in halves.
    half_reads: u64,
}

/// The cost of the requests since the last call.
async fn counted(shop: &Shop, requests: &Requests) -> Cost {
    let sent = requests.take();
    let mut cost = Cost::default();
    for (operation, body) in sent {
        cost.requests += 1;
        match operation.as_str() {
            "TransactWriteItems" => {
                for item in body["TransactItems"].as_array().unwrap() {
                    let (kind, write) = item.as_object().unwrap().iter().next().unwrap();
                    let size = match kind.as_str() {
                        "Put" => size_of_json(&write["Item"]),
                        _ => size(shop, &write["TableName"], &write["Key"]).await,
                    };
                    cost.writes += 2 * size.div_ceil(1024) + index_writes(write);
                }
            }
            "UpdateItem" => {
                let size = size(shop, &body["TableName"], &body["Key"]).await;
                cost.writes += size.div_ceil(1024) + index_writes(&body);
            }
            "GetItem" => {
                let size = size(shop, &body["TableName"], &body["Key"]).await;
                cost.half_reads += 2 * size.div_ceil(4096).max(1);
            }
            // Each read is strongly consistent and below 4 KB.
            "Query" => cost.half_reads += 2,
            "BatchGetItem" => {
                for (table, wanted) in body["RequestItems"].as_object().unwrap() {
                    for key in wanted["Keys"].as_array().unwrap() {
                        let size = size(shop, &table.as_str().into(), key).await;
                        cost.half_reads += 2 * size.div_ceil(4096).max(1);
                    }
                }
            }
            other => panic!("{other} has no cost here"),
        }
    }
    cost
}

/// The cost of the index `due`: 1 for an added or removed entry.
fn index_writes(write: &Value) -> u64 {
    let expression = write["UpdateExpression"].as_str().unwrap_or_default();
    u64::from(write["Item"]["due_at"].is_object() || expression.contains("due_at"))
}

async fn size(shop: &Shop, table: &Value, key: &Value) -> u64 {
    let key = key.as_object().unwrap().iter().map(|(name, value)| {
        (name.clone(), AttributeValue::S(value["S"].as_str().unwrap().to_owned()))
    });
    let get = aws_sdk_dynamodb::Client::new(&shop.aws).get_item();
    let get = get.table_name(table.as_str().unwrap()).set_key(Some(key.collect()));
    let item = get.consistent_read(true).send().await.unwrap().item.unwrap_or_default();
    item.iter().map(|(name, value)| name.len() as u64 + size_of(value)).sum()
}

fn size_of(value: &AttributeValue) -> u64 {
    match value {
        AttributeValue::S(text) => text.len() as u64,
        AttributeValue::N(number) => (number.len() as u64).div_ceil(2) + 1,
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + size_of(value)).sum::<u64>(),
        AttributeValue::M(map) => {
            let entry =
                |(name, value): (&String, &AttributeValue)| 1 + name.len() as u64 + size_of(value);
            3 + map.iter().map(entry).sum::<u64>()
        }
        _ => 1,
    }
}

/// The size of an item in a request, in bytes.
fn size_of_json(item: &Value) -> u64 {
    fn of(value: &Value) -> u64 {
        let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "S" => value.as_str().unwrap().len() as u64,
            "N" => (value.as_str().unwrap().len() as u64).div_ceil(2) + 1,
            "L" => 3 + value.as_array().unwrap().iter().map(|value| 1 + of(value)).sum::<u64>(),
            "M" => 3 + attributes(value) + value.as_object().unwrap().len() as u64,
            _ => 1,
        }
    }
    fn attributes(item: &Value) -> u64 {
        item.as_object().unwrap().iter().map(|(name, value)| name.len() as u64 + of(value)).sum()
    }
    attributes(item)
}

/// The cost of a checkout with `products` products: of the request, of the worker, and of the balances.
async fn checkout(products: usize) -> [Cost; 3] {
    let requests = Requests::default();
    let aws = account::empty().await;
    let config = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(requests.clone());
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    let shop = shop_with(aws, client).await;
    let skus: Vec<_> = (0..products).map(|n| sku(&format!("product-{n}"))).collect();
    for sku in &skus {
        shop.sell(sku, 100, 1).await;
    }
    let customer = shop.customer();
    let lines: Vec<_> = skus.iter().map(|sku| (sku, 2)).collect();
    shop.fill_cart(customer, &lines).await;

    requests.clear();
    let order = shop.place(customer, "key", GOOD).await.order();
    let placing = counted(&shop, &requests).await;
    shop.work(order).await.unwrap();
    let working = counted(&shop, &requests).await;
    assert_eq!(shop.state(order).await.state, State::Confirmed);
    let entries = shop.store().entries(order).await.unwrap();
    requests.clear();
    // A fold of one order's entries. With many orders, up to 10 entries share the updates of the accounts.
    let fold = FoldLedger { store: shop.store().clone(), ids: shop.ids.clone() };
    fold.fold(&entries).await.unwrap();
    [placing, working, counted(&shop, &requests).await]
}

#[tokio::test]
async fn a_checkout_costs_what_the_readme_says() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let names = ["`checkout-place-order`", "`checkout-advance`", "`checkout-fold-ledger`"];
    let mut rows = String::new();
    for products in [1, 5] {
        for (name, cost) in names.into_iter().zip(checkout(products).await) {
            let Cost { requests, writes, half_reads } = cost;
            let reads = half_reads / 2;
            writeln!(rows, "| {products} | {name} | {requests} | {writes} | {reads} |").unwrap();
        }
    }
    assert!(readme.contains(&rows), "the README must contain\n{rows}");
}
