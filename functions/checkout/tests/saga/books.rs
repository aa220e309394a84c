//! An audit: events, orders, stock, ledger and the provider's records must agree.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use checkout::fold_ledger::FoldLedger;
use checkout::ledger::{Account, Entry, TrialBalance};
use checkout::order::{Dispute, Order, OrderId, State};
use checkout::store::{StateItem, Store};
use inventory::Sku;
use inventory::movement::Movement;
use inventory::reservation::Status;
use inventory::stock::Bucket;

use testing::provider::Charged;

use crate::support::{CHECKOUT, INVENTORY, Shop, eur};

type Item = std::collections::HashMap<String, AttributeValue>;

/// The stock of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stock {
    pub(crate) came: i64,
    pub(crate) available: i64,
    pub(crate) reserved: i64,
    pub(crate) sold: i64,
}

/// The result of an audit.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) orders: BTreeMap<OrderId, Order>,
    pub(crate) stock: BTreeMap<Sku, Stock>,
    /// The captured less the refunded amounts, by the provider's records.
    pub(crate) taken: u64,
}

impl Books {
    pub(crate) fn count(&self, state: State) -> usize {
        self.orders.values().filter(|order| order.state == state).count()
    }
}

/// Reads all data, and checks that it agrees.
pub(crate) async fn audit(shop: &Shop) -> Books {
    let items = scan(shop, CHECKOUT).await;
    let orders = orders(&items);
    for order in orders.values() {
        let history = shop.store().history(order.id).await.unwrap();
        let folded = Order::of(history).unwrap();
        assert_eq!(folded.as_ref(), Some(order), "the state is the fold of the events");
    }
    let stock = stock(shop, &orders).await;
    let mut taken = 0;
    for order in orders.values() {
        taken += net_captured(shop, order).await;
    }
    ledger(shop, &items, &orders, taken).await;
    Books { orders, stock, taken }
}

/// [`audit`], when all orders have ended.
pub(crate) async fn audit_ended(shop: &Shop) -> Books {
    let books = audit(shop).await;
    for order in books.orders.values() {
        assert!(order.has_ended() && order.next().is_none(), "{order:?}");
    }
    for (sku, stock) in &books.stock {
        assert_eq!(stock.reserved, 0, "{sku} is still reserved: {stock:?}");
    }
    let overdue = scan(shop, CHECKOUT).await.into_iter().filter(|it| it.contains_key("due_at"));
    assert_eq!(overdue.count(), 0, "an ended order is not in the index");
    books
}

fn orders(items: &[Item]) -> BTreeMap<OrderId, Order> {
    let states = items.iter().filter(|item| text(item, "sk") == "STATE");
    let states = states.map(|item| serde_dynamo::from_item::<_, StateItem>(item.clone()).unwrap());
    states.map(|state| (state.order.id, state.order)).collect()
}

/// The net amount that the provider has captured for an order. The provider never holds two payments of one
/// order, and captures only when we request it.
async fn net_captured(shop: &Shop, order: &Order) -> u64 {
    let total = order.placed.total.amount;
    let charges = shop.provider.charges_of(&order.id.to_string()).await;
    let captured: u64 = charges.iter().map(|charged| charged.captured).sum();
    let held: u64 = charges.iter().map(|charged| charged.held).sum();
    let refunded: u64 = charges.iter().map(Charged::refunded).sum();
    assert!(held + captured <= total, "{order:?}: {charges:?}");
    match order.state {
        State::Captured | State::Confirmed => {
            assert_eq!((captured, held), (total, 0), "{order:?}: {charges:?}");
        }
        State::Cancelled | State::Voided => {
            let by_hand = order.captured_by_hand.map_or(0, |taken| taken.amount);
            assert_eq!((captured, held), (by_hand, 0), "{order:?}: {charges:?}");
        }
        State::Capturing => {}
        _ => assert_eq!(captured, 0, "{order:?}: {charges:?}"),
    }
    let moved = charges.iter().filter(|charged| charged.captured + charged.held > 0).count();
    assert!(moved <= 1, "{order:?}: {charges:?}");
    if order.next().is_none() {
        assert_eq!(refunded, order.refunded(), "{order:?}: {charges:?}");
    }
    assert!(refunded <= captured, "{order:?}: {charges:?}");
    captured - refunded
}

async fn stock(shop: &Shop, orders: &BTreeMap<OrderId, Order>) -> BTreeMap<Sku, Stock> {
    let mut products: BTreeMap<Sku, Stock> = BTreeMap::new();
    for item in scan(shop, INVENTORY).await {
        let (pk, sk) = (text(&item, "pk").to_owned(), text(&item, "sk").to_owned());
        if let Some(holder) = pk.strip_prefix("HOLDER#") {
            let reservation: inventory::Reservation = serde_dynamo::from_item(item).unwrap();
            let order = &orders[&holder.parse().unwrap()];
            let is_sold = reservation.status == Status::Consumed;
            assert_eq!(is_sold, order.state == State::Confirmed, "{reservation:?}: {order:?}");
            if is_sold {
                products.entry(reservation.sku.clone()).or_default().sold +=
                    i64::from(reservation.quantity());
            }
            continue;
        }
        let stock = products.entry(pk.strip_prefix("SKU#").unwrap().parse().unwrap()).or_default();
        if sk.starts_with("STOCK#") {
            let bucket: Bucket = serde_dynamo::from_item(item).unwrap();
            stock.available += i64::from(bucket.available);
            stock.reserved += i64::from(bucket.reserved);
        } else if sk.starts_with("MOVE") {
            let movement: Movement = serde_dynamo::from_item(item).unwrap();
            stock.came += i64::from(i32::from(movement.quantity));
        }
    }
    for (sku, stock) in &products {
        let Stock { came, available, reserved, sold } = stock;
        assert_eq!(*came, available + reserved + sold, "{sku}: no unit is lost: {stock:?}");
    }
    products
}

async fn ledger(shop: &Shop, items: &[Item], orders: &BTreeMap<OrderId, Order>, taken: u64) {
    let entries: Vec<Entry> = items
        .iter()
        .filter_map(|item| Store::entry(serde_dynamo::from_item(item.clone()).unwrap()).unwrap())
        .collect();
    let trial = TrialBalance::of(&entries);
    assert!(trial.is_balanced(), "{trial:?}");

    // Folded twice: an entry that the stream delivers again counts once.
    let fold = FoldLedger { store: shop.store().clone(), ids: shop.ids.clone() };
    fold.fold(&entries).await.unwrap();
    fold.fold(&entries).await.unwrap();
    assert_eq!(
        shop.store().balances().await.unwrap(),
        trial,
        "the balances are the sums of the entries"
    );

    let provider = trial.0.get(&(eur(0).currency, Account::Provider)).copied().unwrap_or_default();
    let is_idle = orders.values().all(|order| order.next().is_none());
    if is_idle {
        let disputes = orders.values().flat_map(|order| order.disputes.values());
        let outstanding: u64 = disputes.map(Dispute::outstanding).sum();
        let owed = provider.debits - provider.credits + i64::try_from(outstanding).unwrap();
        assert_eq!(owed, i64::try_from(taken).unwrap(), "the ledger agrees with the provider");
        assert_eq!(provider.pending_debits, 0, "nothing is pending: {trial:?}");
    }
}

async fn scan(shop: &Shop, table: &str) -> Vec<Item> {
    let client = aws_sdk_dynamodb::Client::new(&shop.aws);
    let scan = client.scan().table_name(table).consistent_read(true);
    let mut items = scan.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(item) = items.next().await {
        found.push(item.unwrap());
    }
    found
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}
