//! Audits the whole table: sums and invariants.

use std::collections::BTreeMap;

use inventory::movement::Movement;
use inventory::reservation::Status;
use inventory::stock::Bucket;
use inventory::{Reservation, Sku};

use crate::support::{System, TABLE};

/// The totals of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// The sum of all movements.
    pub(crate) moved: i64,
    pub(crate) available: i64,
    pub(crate) reserved: i64,
    pub(crate) consumed: i64,
    pub(crate) buckets: usize,
}

#[derive(Default)]
struct Product {
    counted: Totals,
    /// The stored number of movements, and the numbers of the movement items.
    movements: (u64, Vec<u64>),
    /// For each bucket: its reserved quantity, and the sum of its reservations.
    reserved: BTreeMap<u32, (i64, i64)>,
}

/// Reads the whole table, and checks that no stock is lost or duplicated.
pub(crate) async fn audit(s: &System) -> BTreeMap<Sku, Totals> {
    let mut products: BTreeMap<Sku, Product> = BTreeMap::new();
    let scan = s.client.scan().table_name(TABLE).consistent_read(true);
    let mut items = scan.into_paginator().items().send();
    while let Some(item) = items.next().await {
        let item = item.unwrap();
        let key = |name: &str| item[name].as_s().unwrap().clone();
        let (pk, sk) = (key("pk"), key("sk"));
        if pk.starts_with("HOLDER#") {
            let held = ["due_shard", "due_at"].map(|name| item.contains_key(name));
            let reservation: Reservation = serde_dynamo::from_item(item).unwrap();
            let is_held = reservation.status == Status::Held;
            assert_eq!(
                held, [is_held; 2],
                "only a held reservation is in the index: {reservation:?}"
            );
            let product = products.entry(reservation.sku.clone()).or_default();
            match reservation.status {
                Status::Held | Status::Committed => {
                    for take in &reservation.takes {
                        product.reserved.entry(take.bucket).or_default().1 +=
                            i64::from(take.quantity);
                    }
                }
                Status::Consumed => product.counted.consumed += i64::from(reservation.quantity()),
                Status::Released => {}
            }
            continue;
        }
        let product =
            products.entry(pk.strip_prefix("SKU#").unwrap().parse().unwrap()).or_default();
        if sk == "STOCK" {
            product.movements.0 = item["movements"].as_n().unwrap().parse().unwrap();
        } else if sk.starts_with("STOCK#") {
            let bucket: Bucket = serde_dynamo::from_item(item).unwrap();
            assert_eq!(sk, format!("STOCK#{:02}", bucket.number));
            product.counted.available += i64::from(bucket.available);
            product.counted.reserved += i64::from(bucket.reserved);
            product.counted.buckets += 1;
            product.reserved.entry(bucket.number).or_default().0 += i64::from(bucket.reserved);
        } else {
            let movement: Movement = serde_dynamo::from_item(item).unwrap();
            product.counted.moved += i64::from(i32::from(movement.quantity));
            product.movements.1.push(movement.number);
        }
    }
    for (sku, product) in &mut products {
        let Product { counted, movements: (count, numbers), reserved } = product;
        numbers.sort_unstable();
        assert_eq!(*numbers, (1..=*count).collect::<Vec<_>>(), "{sku}: movements");
        let Totals { moved, available, reserved: held, consumed, .. } = counted;
        assert_eq!(
            *moved,
            *available + *held + *consumed,
            "{sku}: the sum of movements is available, reserved or consumed"
        );
        for (bucket, (said, taken)) in reserved {
            assert_eq!(said, taken, "{sku}: reserved quantity of bucket {bucket}");
        }
    }
    products.into_iter().map(|(sku, product)| (sku, product.counted)).collect()
}
