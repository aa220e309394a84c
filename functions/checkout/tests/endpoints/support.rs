//! An isolated shop with a manual clock, and requests to it.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use axum::Router;
use axum::http::HeaderMap;
use checkout::api;
use checkout::order::{Order, OrderId};
use checkout::payments::Stripe;
use checkout::public;
use checkout::queues::Advance;
use checkout::relay::Relay;
use checkout::saga::{STEP_TIME, Saga};
use checkout::store::Store;
use checkout::sweep::Sweep;
use checkout::system::System;
use http_body_util::BodyExt;
use inventory::movement::{Movement, Reason, changes};
use inventory::stock::{available, reserved};
use inventory::{Inventory, Sku};
use jiff::{SignedDuration, Timestamp};
use lambda_http::request::from_str;
use lambda_runtime::Context;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::bus::Bus;
use shared::clock::Clock;
use shared::http::app;
use shared::id::{Ids, UserId};
use shared::idempotency::Records;
use shared::invocation::Invocation;
use shared::queue::Queue;
use shared::rate_limit::RateLimiter;
use shared::transaction;
use shared::webhook::Courier;
use testing::provider::Provider;
use testing::{account, contract, event};

/// The tenant of the sample events.
pub(crate) const TENANT: &str = "ten_01M7YRRT800000000000000001";
/// The customer of the sample events.
pub(crate) const CUSTOMER: &str = "usr_01M7YRRT800000000000000000";
/// The order of the sample events.
pub(crate) const ORDER: &str = "ord_01M7YRRT800000000000000002";
/// The product of the sample events.
pub(crate) const BOOK: &str = "book-rust-2e";
/// The product's price, in cents.
pub(crate) const PRICE: u64 = 3499;
/// The provider's signing secret.
pub(crate) const HOOK_SECRET: &str = "whsec_ours";

#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) aws: SdkConfig,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) store: Store,
    pub(crate) inventory: Inventory,
    pub(crate) provider: Arc<Provider>,
    pub(crate) saga: Saga,
    pub(crate) relay: Relay,
    pub(crate) sweep: Sweep,
    pub(crate) orders_url: String,
    pub(crate) webhooks_url: String,
    pub(crate) ledger_url: String,
    pub(crate) relay_dead_letters_url: String,
    pub(crate) system: System,
    router: Router,
}

/// A shop without products.
pub(crate) async fn shop() -> Shop {
    let aws = account::empty().await;
    let client = aws_sdk_dynamodb::Client::new(&aws);
    shop_with(aws, client).await
}

/// A shop that uses DynamoDB through `client`.
pub(crate) async fn shop_with(aws: SdkConfig, client: aws_sdk_dynamodb::Client) -> Shop {
    let provider = Provider::new();
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let store = Store::new(client.clone(), account::table_with_due(&aws, "checkout").await);
    let inventory = account::table_with_due(&aws, "inventory").await;
    let inventory = Inventory::new(client.clone(), inventory);
    let requests = account::table_named(&aws, "requests", &["id"]).await;
    let orders_url = account::queue_named(&aws, "orders").await;
    let webhooks_url = account::queue_named(&aws, "webhooks").await;
    let orders = Queue::new(sqs.clone(), orders_url.clone());
    let webhooks = Queue::new(sqs.clone(), webhooks_url.clone());
    let ledger_url = account::fifo_named(&aws, "ledger").await;
    let relay_dead_letters_url = account::queue_named(&aws, "relay-dead").await;

    let clock = Clock::manual("2026-11-21T10:00:00Z".parse().unwrap());
    let ids = Ids::random(clock.clone());
    let payments = Stripe::new(provider.url().to_owned(), provider.key().into()).unwrap();
    let records = Records::new(client.clone(), requests.clone(), clock.clone());
    let limiter = RateLimiter::new(client, requests, clock.clone());
    let courier = Courier::new(false).unwrap();
    let secret = SecretString::from(HOOK_SECRET);

    let system = System {
        store: store.clone(),
        inventory: inventory.clone(),
        records,
        limiter,
        clock: clock.clone(),
        ids: ids.clone(),
    };
    let relay = Relay {
        store: store.clone(),
        orders: orders.clone(),
        webhooks: webhooks.clone(),
        ledger: Queue::new(sqs.clone(), ledger_url.clone()),
        // The default bus of the account.
        bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), "default".into(), public::SOURCE),
        outbox: shared::relay::Relay::new(Queue::new(sqs, relay_dead_letters_url.clone())),
    };
    let s = || system.clone();
    let router = api::put_product::router(s())
        .merge(api::patch_product::router(s()))
        .merge(api::get_product::router(s()))
        .merge(api::list_products::router(s()))
        .merge(api::get_cart::router(s()))
        .merge(api::add_to_cart::router(s()))
        .merge(api::set_in_cart::router(s()))
        .merge(api::remove_from_cart::router(s()))
        .merge(api::place_order::router(s()))
        .merge(api::pay_order::router(s()))
        .merge(api::get_order::router(s(), payments.clone()))
        .merge(api::list_orders::router(s()))
        .merge(api::cancel_order::router(s()))
        .merge(api::refund_order::router(s()))
        .merge(api::list_stuck::router(s()))
        .merge(api::get_ledger::router(s()))
        .merge(api::get_order_ledger::router(s()))
        .merge(api::put_endpoint::router(s(), courier))
        .merge(api::list_endpoints::router(s()))
        .merge(api::delete_endpoint::router(s()))
        .merge(api::list_deliveries::router(s()))
        .merge(api::resend_delivery::router(s(), webhooks.clone()))
        .merge(api::rotate_secret::router(s()))
        .merge(api::on_provider_event::router(orders.clone(), secret, clock.clone()));
    Shop {
        saga: Saga {
            store: store.clone(),
            inventory: inventory.clone(),
            payments,
            clock: clock.clone(),
            ids: ids.clone(),
        },
        relay,
        sweep: Sweep { store: store.clone(), orders, clock: clock.clone() },
        router: app(router),
        system,
        provider: provider.into(),
        aws,
        clock,
        ids,
        store,
        inventory,
        orders_url,
        webhooks_url,
        ledger_url,
        relay_dead_letters_url,
    }
}

/// An invocation with a minute left.
pub(crate) fn a_minute() -> Invocation {
    let mut context = Context::default();
    let deadline = std::time::SystemTime::now() + Duration::from_mins(1);
    let deadline = deadline.duration_since(std::time::UNIX_EPOCH).unwrap();
    context.deadline = u64::try_from(deadline.as_millis()).unwrap();
    Invocation::of(&context, None)
}

pub(crate) fn sku(text: &str) -> Sku {
    text.parse().unwrap()
}

/// A request that is made from the sample event of an endpoint.
#[derive(Clone)]
pub(crate) struct Ask(Value);

pub(crate) fn ask(name: &str) -> Ask {
    Ask(serde_json::from_str(&event(&format!("checkout-{name}"))).unwrap())
}

/// Replaces a product, whatever it is.
pub(crate) fn replace_product() -> Ask {
    ask("put-product").header("if-match", "*")
}

impl Ask {
    /// Replaces a text of the sample.
    pub(crate) fn about(self, sample: &str, other: &str) -> Self {
        let text = self.0.to_string().replace(sample, other);
        Self(serde_json::from_str(&text).unwrap())
    }

    /// Replaces the sample's order.
    pub(crate) fn order(self, id: OrderId) -> Self {
        self.about(ORDER, &id.to_string())
    }

    pub(crate) fn body(mut self, body: &Value) -> Self {
        self.0["body"] = json!(body.to_string());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.0["headers"][name] = json!(value);
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.0["headers"].as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        self.0["rawQueryString"] = json!(query);
        self
    }

    /// Sets a field of the user in the authorizer's context.
    fn user(mut self, field: &str, value: &str) -> Self {
        self.0["requestContext"]["authorizer"]["lambda"][field] = json!(value);
        self
    }

    pub(crate) fn by(self, user: UserId) -> Self {
        self.user("sub", &user.to_string())
    }

    pub(crate) fn scope(self, scope: &str) -> Self {
        self.user("scope", scope)
    }

    pub(crate) fn expired(self) -> Self {
        self.user("expires_at", "2026-11-21T10:00:00Z")
    }

    pub(crate) fn anonymous(mut self) -> Self {
        self.0["requestContext"].as_object_mut().unwrap().remove("authorizer");
        self
    }

    pub(crate) async fn of(&self, shop: &Shop) -> Answer {
        self.of_router(&shop.router).await
    }

    pub(crate) async fn of_router(&self, router: &Router) -> Answer {
        let request = from_str(&self.0.to_string()).unwrap();
        let response = contract::ask(router, request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    /// The body. Panics if the status is another one.
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    pub(crate) fn problem(&self) -> (u16, &str) {
        let kind = self.body["type"].as_str().unwrap_or_default();
        (self.status, kind.rsplit('/').next().unwrap())
    }

    /// The first invalid field and its detail.
    pub(crate) fn field(&self) -> (&str, &str) {
        let error = &self.body["errors"][0];
        let text = |name: &str| error[name].as_str().unwrap_or_default();
        (text("field"), text("detail"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.headers.contains_key("idempotent-replayed")
    }

    /// The order that was placed.
    pub(crate) fn order(&self) -> OrderId {
        assert_eq!(self.status, 202, "{}", self.text);
        self.body["id"].as_str().unwrap().parse().unwrap()
    }
}

pub(crate) fn euro(amount: u64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

impl Shop {
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }

    pub(crate) fn customer(&self) -> UserId {
        self.ids.next()
    }

    /// Puts a product on sale at `price` cents.
    pub(crate) async fn sell(&self, sku: &str, price: u64) {
        let body = json!({"name": format!("One {sku}"), "price": euro(price)});
        let mut put = ask("put-product").about(BOOK, sku).body(&body).of(self).await;
        if put.status == 428 {
            put = replace_product().about(BOOK, sku).body(&body).of(self).await;
        }
        assert!(put.status < 300, "{}", put.text);
    }

    /// Adds `quantity` of a product to the stock.
    pub(crate) async fn stock(&self, text: &str, quantity: i64, buckets: u32) {
        let sku = sku(text);
        let ledger = self.inventory.product_stock(&sku).await.unwrap();
        let quantity = quantity.try_into().unwrap();
        let changes = changes(&ledger.buckets, quantity, buckets.try_into().unwrap()).unwrap();
        let movement = Movement {
            number: ledger.movements + 1,
            quantity,
            reason: Reason::Restock,
            note: None,
            by: self.ids.next(),
            at: self.clock.now(),
        };
        let writes = self.inventory.movement_writes(&sku, &movement, &changes).unwrap();
        let token = self.customer().to_string();
        let client = aws_sdk_dynamodb::Client::new(&self.aws);
        transaction::send("test.stock", &client, &token, writes).await.unwrap();
    }

    /// The available and the reserved quantity of a product.
    pub(crate) async fn stock_of(&self, text: &str) -> (u32, u32) {
        let buckets = self.inventory.stock(&sku(text)).await.unwrap();
        (available(&buckets), reserved(&buckets))
    }

    /// Adds `quantity` of a product to a customer's cart.
    pub(crate) async fn put_in_cart(&self, customer: UserId, sku: &str, quantity: u32) {
        let body = json!({ "quantity": quantity });
        let put = ask("set-in-cart").about(BOOK, sku).by(customer).body(&body).of(self).await;
        put.ok(200);
    }

    /// The customer's cart: products and quantities.
    pub(crate) async fn cart_of(&self, customer: UserId) -> Vec<(String, u32)> {
        let cart = self.store.cart((customer, TENANT.parse().unwrap())).await.unwrap();
        cart.lines.into_iter().map(|(sku, line)| (sku.to_string(), line.quantity)).collect()
    }

    /// A customer and an order of two books. Ten books are left in stock.
    pub(crate) async fn ordered(&self) -> (UserId, OrderId) {
        self.ordered_by(self.customer()).await
    }

    pub(crate) async fn ordered_by(&self, customer: UserId) -> (UserId, OrderId) {
        self.ordered_with(customer, testing::provider::GOOD).await
    }

    pub(crate) async fn ordered_with(
        &self,
        customer: UserId,
        payment_method: &str,
    ) -> (UserId, OrderId) {
        self.sell(BOOK, PRICE).await;
        self.stock(BOOK, 12, 1).await;
        self.put_in_cart(customer, BOOK, 2).await;
        let body = json!({ "payment_method": payment_method });
        let place = ask("place-order").by(customer).key(&self.customer().to_string()).body(&body);
        (customer, place.of(self).await.order())
    }

    /// A paid order.
    pub(crate) async fn confirmed(&self) -> (UserId, OrderId) {
        let (customer, id) = self.ordered().await;
        self.work(id).await;
        assert_eq!(self.order(id).await.state, checkout::order::State::Confirmed);
        (customer, id)
    }

    /// Runs a worker on the order.
    pub(crate) async fn work(&self, id: OrderId) {
        self.saga.advance(id, self.clock.now() + 2 * STEP_TIME).await.unwrap();
    }

    pub(crate) async fn order(&self, id: OrderId) -> Order {
        self.store.order(id).await.unwrap().unwrap()
    }

    /// The orders in the queue.
    pub(crate) async fn queued(&self) -> Vec<OrderId> {
        let jobs = account::drain(&self.aws, &self.orders_url).await;
        let order = |job: &String| match serde_json::from_str(job).unwrap() {
            Advance::V1 { order } => order,
            Advance::V2 { payment } => panic!("{payment:?} is queued for a comparison"),
        };
        jobs.iter().map(order).collect()
    }

    /// The jobs in the queue, as JSON.
    pub(crate) async fn jobs(&self) -> Vec<Value> {
        let jobs = account::drain(&self.aws, &self.orders_url).await;
        jobs.iter().map(|job| serde_json::from_str(job).unwrap()).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The items of a table with this partition key.
    pub(crate) async fn items(&self, table: &str, pk: &str) -> Vec<Value> {
        let client = aws_sdk_dynamodb::Client::new(&self.aws);
        let query = client
            .query()
            .table_name(table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(
                ":pk",
                aws_sdk_dynamodb::types::AttributeValue::S(pk.to_owned()),
            );
        let found = query.send().await.unwrap().items.unwrap_or_default();
        serde_dynamo::from_items(found).unwrap()
    }
}
