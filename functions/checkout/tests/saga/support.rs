//! An isolated shop with a manual clock and its own account at the provider.

use std::time::Duration;

use aws_config::SdkConfig;
use axum::Router;
use axum::body::Body;
use checkout::api::{cancel_order, pay_order, place_order, refund_order};
use checkout::cart::Cart;
use checkout::money::Money;
use checkout::order::{Order, OrderId, State};
use checkout::payments::Stripe;
use checkout::product::Product;
use checkout::queues::Advance;
use checkout::saga::{STEP_TIME, Saga};
use checkout::store::{Customer, Store};
use checkout::sweep::Sweep;
use checkout::system::System;
use http_body_util::BodyExt;
use inventory::movement::{Movement, Reason, changes};
use inventory::{Inventory, Sku};
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::Request;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use shared::batch::Failure;
use shared::clock::Clock;
use shared::http::app;
use shared::id::{Ids, UserId};
use shared::idempotency::Records;
use shared::queue::Queue;
use shared::rate_limit::RateLimiter;
use shared::transaction;
use testing::account;
use testing::contract::ask;
use testing::provider::{DECLINED, Provider};

pub(crate) const CHECKOUT: &str = "checkout";
pub(crate) const INVENTORY: &str = "inventory";
/// The tenant of all requests.
const TENANT: &str = "ten_01M7YRRT800000000000000001";
/// The price of every product, in cents.
pub(crate) const PRICE: u64 = 1_250;
/// The maximum number of workers for an order before a test fails.
const MAX_TRIES: u32 = 40;

#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) aws: SdkConfig,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) saga: Saga,
    pub(crate) sweep: Sweep,
    pub(crate) provider: std::sync::Arc<Provider>,
    queue_url: String,
    place: Router,
    pay: Router,
    cancel: Router,
    refund: Router,
}

/// The customer, in the tenant of all requests.
pub(crate) fn in_tenant(customer: UserId) -> Customer {
    (customer, TENANT.parse().unwrap())
}

pub(crate) fn sku(text: &str) -> Sku {
    text.parse().unwrap()
}

pub(crate) fn eur(amount: u64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn order(&self) -> OrderId {
        assert!(self.status == 202 || self.status == 200, "{self:?}");
        self.body["id"].as_str().unwrap().parse().unwrap()
    }
}

pub(crate) async fn shop() -> Shop {
    let aws = account::empty().await;
    let client = aws_sdk_dynamodb::Client::new(&aws);
    shop_with(aws, client).await
}

/// A shop that uses DynamoDB through `client`.
pub(crate) async fn shop_with(aws: SdkConfig, client: aws_sdk_dynamodb::Client) -> Shop {
    account::table_with_due(&aws, CHECKOUT).await;
    account::table_with_due(&aws, INVENTORY).await;
    let requests = account::table_named(&aws, "requests", &["id"]).await;
    let queue_url = account::queue(&aws).await;
    let orders = Queue::new(aws_sdk_sqs::Client::new(&aws), queue_url.clone());

    let clock = Clock::manual("2026-11-22T10:00:00Z".parse().unwrap());
    let ids = Ids::random(clock.clone());
    let provider = Provider::new();
    let payments = Stripe::new(provider.url().to_owned(), provider.key().into()).unwrap();
    let store = Store::new(client.clone(), CHECKOUT.into());
    let inventory = Inventory::new(client.clone(), INVENTORY.into());
    let records = Records::new(client.clone(), requests.clone(), clock.clone());
    let limiter = RateLimiter::new(client, requests, clock.clone());

    let (s, c, i) = (|| store.clone(), || clock.clone(), || ids.clone());
    let system =
        System { store: s(), inventory: inventory.clone(), records, limiter, clock: c(), ids: i() };
    Shop {
        pay: app(pay_order::router(system.clone())),
        place: app(place_order::router(system.clone())),
        cancel: app(cancel_order::router(system.clone())),
        refund: app(refund_order::router(system)),
        sweep: Sweep { store: s(), orders, clock: c() },
        saga: Saga { store: s(), inventory, payments, clock: c(), ids: i() },
        provider: provider.into(),
        aws,
        queue_url,
        clock: c(),
        ids: i(),
    }
}

impl Shop {
    pub(crate) fn store(&self) -> &Store {
        &self.saga.store
    }

    pub(crate) fn customer(&self) -> UserId {
        self.ids.next()
    }

    pub(crate) fn advance_clock(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }

    /// Puts a product on sale, with `stock` units in stock.
    pub(crate) async fn sell(&self, sku: &Sku, stock: i64, buckets: u32) {
        let product = Product { name: format!("One {sku}"), price: eur(PRICE), active: true };
        self.store().put_product(sku, None, &product).await.unwrap();
        let ledger = self.saga.inventory.product_stock(sku).await.unwrap();
        let quantity = stock.try_into().unwrap();
        let changes = changes(&ledger.buckets, quantity, buckets.try_into().unwrap()).unwrap();
        let movement = Movement {
            number: ledger.movements + 1,
            quantity,
            reason: Reason::Restock,
            note: None,
            by: self.ids.next(),
            at: self.clock.now(),
        };
        let writes = self.saga.inventory.movement_writes(sku, &movement, &changes).unwrap();
        let token = self.customer().to_string();
        let client = aws_sdk_dynamodb::Client::new(&self.aws);
        transaction::send("test.restock", &client, &token, writes).await.unwrap();
    }

    /// Replaces the customer's cart with these lines.
    pub(crate) async fn fill_cart(&self, customer: UserId, lines: &[(&Sku, u32)]) {
        let version = self.store().cart(in_tenant(customer)).await.unwrap().version;
        let mut cart = Cart { version, ..Cart::default() };
        for (sku, quantity) in lines {
            let product = self.store().product(sku).await.unwrap().unwrap();
            cart.set((*sku).clone(), &product, *quantity).unwrap();
        }
        assert!(self.store().put_cart(in_tenant(customer), &cart).await.unwrap());
    }

    /// `POST /v1/checkouts`
    pub(crate) async fn place(&self, customer: UserId, key: &str, means: &str) -> Answer {
        let body = json!({ "payment_method": means });
        self.call(&self.place, "/v1/checkouts", customer, key, body).await
    }

    /// A new order of `quantity` units of a product. No worker has claimed it.
    pub(crate) async fn order(&self, sku: &Sku, quantity: u32, means: &str) -> (UserId, OrderId) {
        let customer = self.customer();
        self.fill_cart(customer, &[(sku, quantity)]).await;
        (customer, self.place(customer, "key-1", means).await.order())
    }

    /// `POST /v1/orders/{order_id}/payments`
    pub(crate) async fn pay(
        &self,
        customer: UserId,
        order: OrderId,
        key: &str,
        means: &str,
    ) -> Answer {
        let path = format!("/v1/orders/{order}/payments");
        self.call(&self.pay, &path, customer, key, json!({ "payment_method": means })).await
    }

    /// An order whose payment method was declined.
    pub(crate) async fn declined(&self, sku: &Sku, quantity: u32) -> (UserId, OrderId) {
        let (customer, order) = self.order(sku, quantity, DECLINED).await;
        self.work(order).await.unwrap();
        assert_eq!(self.state(order).await.state, State::PaymentRequired);
        (customer, order)
    }

    /// The quantity of a product in the customer's cart.
    pub(crate) async fn in_cart(&self, customer: UserId, sku: &Sku) -> u32 {
        let cart = self.store().cart(in_tenant(customer)).await.unwrap();
        cart.lines.get(sku).map_or(0, |line| line.quantity)
    }

    /// `POST /v1/orders/{order_id}/cancel`
    pub(crate) async fn cancel(&self, customer: UserId, order: OrderId) -> Answer {
        let path = format!("/v1/orders/{order}/cancel");
        self.call(&self.cancel, &path, customer, "-", json!({})).await
    }

    /// `POST /v1/orders/{order_id}/refunds`
    pub(crate) async fn refund(&self, order: OrderId, key: &str, amount: Option<u64>) -> Answer {
        let path = format!("/v1/orders/{order}/refunds");
        let merchant = "usr_01M7YRRT800000000000000000".parse().unwrap();
        self.call(&self.refund, &path, merchant, key, json!({ "amount": amount })).await
    }

    async fn call(
        &self,
        router: &Router,
        path: &str,
        user: UserId,
        key: &str,
        body: Value,
    ) -> Answer {
        let authorizer = json!({"lambda": {
            "sub": user,
            "tenant": TENANT,
            "scope": "orders:read orders:write admin",
            "expires_at": "2099-12-31T23:59:59Z",
        }});
        let context = json!({"http": {"method": "POST", "path": path}, "authorizer": authorizer});
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .extension(RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap()))
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = ask(router, request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    /// The deadline of a worker that starts now.
    pub(crate) fn until(&self) -> Timestamp {
        self.clock.now() + 2 * STEP_TIME
    }

    /// Runs a worker on the order.
    pub(crate) async fn work(&self, order: OrderId) -> Result<(), Failure> {
        self.saga.advance(order, self.until()).await
    }

    pub(crate) async fn state(&self, order: OrderId) -> Order {
        self.store().order(order).await.unwrap().unwrap()
    }

    /// Runs workers on the order until no step is left. A failed worker is retried.
    pub(crate) async fn finish(&self, order: OrderId) -> Order {
        for _ in 0..MAX_TRIES {
            if let Err(failure) = self.work(order).await {
                let after = match failure {
                    Failure::Retry { after, .. } => after.unwrap_or(Duration::from_secs(2)),
                    Failure::Permanent(error) => panic!("permanent failure: {}", error.trail()),
                };
                self.advance_clock(after);
                continue;
            }
            let order = self.state(order).await;
            if order.next().is_none() {
                return order;
            }
            // The order waits for the provider or for its customer until it expires.
            self.advance_clock(Duration::from_mins(1));
        }
        panic!("the order does not end: {:?}", self.state(order).await);
    }

    /// The orders in the queue.
    pub(crate) async fn queued(&self) -> Vec<OrderId> {
        let order = |job| match job {
            Advance::V1 { order } => order,
            Advance::V2 { payment } => panic!("{payment:?} is queued for a comparison"),
        };
        self.jobs().await.into_iter().map(order).collect()
    }

    /// The jobs of the queue of orders.
    pub(crate) async fn jobs(&self) -> Vec<Advance> {
        let jobs = account::drain(&self.aws, &self.queue_url).await;
        jobs.iter().map(|job| serde_json::from_str(job).unwrap()).collect()
    }

    /// Compares the order with the provider's refunds and disputes, and retries until a worker succeeds.
    pub(crate) async fn compare(&self, order: OrderId) -> Order {
        let payment = self.state(order).await.payment.unwrap();
        for _ in 0..MAX_TRIES {
            match self.saga.compare_payment(&payment, self.until()).await {
                Ok(()) => return self.state(order).await,
                Err(Failure::Retry { .. }) => self.advance_clock(Duration::from_mins(2)),
                Err(Failure::Permanent(error)) => panic!("permanent failure: {}", error.trail()),
            }
        }
        panic!("the order cannot be compared: {:?}", self.state(order).await);
    }
}
