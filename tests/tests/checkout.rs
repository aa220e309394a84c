//! The checkout for customers, merchants and the payment provider: payments, holds, refunds and
//! webhooks, checked over the API and in the provider's records.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::HashSet;
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use testing::eventually;
use testing::provider::{Charged, DECLINED, GOOD, Provider};
use testing::stack::{Answer, Stack, User};
use ulid::Ulid;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The maximum time of a step on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// The price of the only product of a test's shop.
const PRICE: u64 = 1250;
/// The stock of that product.
const STOCK: u64 = 30;

/// An admin, and a product that no other test sells.
struct Shop<'a> {
    keeper: User<'a>,
    sku: String,
}

impl<'a> Shop<'a> {
    async fn open(stack: &'a Stack) -> Self {
        let keeper = stack.new_admin().await;
        let sku = format!("SKU-{}", Ulid::generate());
        let price = json!({"amount": PRICE, "currency": "EUR"});
        let product = json!({"name": "Awl", "price": price});
        let put = keeper.put(&format!("/v1/products/{sku}"), product).await;
        assert_eq!(put.status, 201, "{put:?}");
        let restock = json!({"quantity": STOCK, "reason": "restock", "buckets": 2});
        let moved = keeper.post(&format!("/v1/stock/{sku}/movements"), restock).await;
        assert_eq!(moved.status, 201, "{moved:?}");
        Self { keeper, sku }
    }

    /// The available and the reserved stock.
    async fn stock(&self) -> (u64, u64) {
        let stock = self.keeper.get(&format!("/v1/stock/{}", self.sku)).await.body;
        (stock["available"].as_u64().unwrap(), stock["reserved"].as_u64().unwrap())
    }

    /// A customer with `quantity` of the product in the cart.
    async fn customer(&self, quantity: u64) -> User<'a> {
        let customer = self.keeper.stack.new_user().await;
        let line = json!({"sku": self.sku, "quantity": quantity});
        let cart = customer.post("/v1/cart/lines", line).await;
        assert_eq!(cart.status, 200, "{cart:?}");
        assert_eq!(cart.body["total"], json!({"amount": quantity * PRICE, "currency": "EUR"}));
        customer
    }

    /// The ledger entries of an order: types, causes and amounts.
    async fn entries(&self, order: &str) -> Vec<(String, String, u64)> {
        let answer = self.keeper.get(&format!("/v1/ledger/{order}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let one = |entry: &Value| {
            let amount = entry["amount"]["amount"].as_u64().unwrap();
            let kind = entry["outcome"].as_str().unwrap_or_else(|| entry["type"].as_str().unwrap());
            (kind.to_owned(), text(&entry["cause"]), amount)
        };
        answer.body["entries"].as_array().unwrap().iter().map(one).collect()
    }
}

/// Orders the cart, and waits up to 20 s for the end of the order.
async fn check_out(customer: &User<'_>, payment_method: &str) -> Answer {
    let key = Ulid::generate().to_string();
    check_out_keyed(customer, payment_method, &key).await
}

async fn check_out_keyed(customer: &User<'_>, payment_method: &str, key: &str) -> Answer {
    let body = json!({"payment_method": payment_method});
    let headers = [("idempotency-key", key), ("prefer", "wait=20")];
    let (token, stack) = (Some(customer.token.as_str()), customer.stack);
    stack.call_with(Method::POST, "/v1/checkouts", token, Some(body), &headers).await
}

fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// The order, after it has reached the status.
async fn until(customer: &User<'_>, order: &str, status: &str) -> Value {
    eventually(&format!("{order} {status}"), PATIENCE, async || {
        let answer = customer.get(&format!("/v1/orders/{order}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        (answer.body["status"] == status).then_some(answer.body)
    })
    .await
}

fn happened(order: &Value) -> Vec<&str> {
    let history = order["history"].as_array().unwrap().iter();
    history.map(|happened| happened["event"].as_str().unwrap()).collect()
}

/// The only payment of an order, from the provider's records.
async fn only_charge(provider: &Provider, order: &str) -> Charged {
    let mut charged = provider.charges_of(order).await;
    assert_eq!(charged.len(), 1, "{charged:?}");
    charged.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_paid_once_and_its_stock_leaves() {
    let stack = Stack::deployed().await;
    let (shop, provider) = (Shop::open(&stack).await, Provider::of_stack());
    let customer = shop.customer(3).await;
    let answer = check_out(&customer, GOOD).await;
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (200, &json!("confirmed")));
    assert_eq!(answer.headers["preference-applied"], "wait");
    let order = id(&answer);
    assert_eq!(answer.headers["location"], format!("/v1/orders/{order}"));

    let charged = only_charge(&provider, &order).await;
    assert_eq!((charged.status.as_str(), charged.charges), ("succeeded", 1), "{charged:?}");
    assert_eq!((charged.captured, charged.held, charged.refunded()), (3 * PRICE, 0, 0));
    assert_eq!(shop.stock().await, (STOCK - 3, 0));
    let seen = customer.get(&format!("/v1/orders/{order}")).await.body;
    assert_eq!(
        happened(&seen),
        [
            "placed",
            "payment_created",
            "payment_authorised",
            "capture_started",
            "payment_captured",
            "confirmed"
        ]
    );
    assert_eq!(customer.get("/v1/cart").await.body["lines"], json!([]));
    let listed = customer.get("/v1/orders").await.body;
    assert_eq!(listed["orders"][0]["id"], json!(order));

    // The provider has sent its webhook, and the API has accepted it.
    let webhook = eventually("the provider's webhook", PATIENCE, async || {
        let sent = provider.webhooks().await;
        sent.into_iter().find(|sent| sent["about"] == charged.payment)
    });
    assert_eq!(webhook.await["status"], 200);
    // Other users cannot see the order.
    let other = stack.new_user().await;
    assert_eq!(other.get(&format!("/v1/orders/{order}")).await.status, 404);
}

/// Whether a message is signed by the rules of Standard Webhooks.
fn is_signed(request: &Request, secret: &str) -> bool {
    let header = |name: &str| request.headers[name].to_str().unwrap();
    let secret = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    let signed = [signed.as_bytes(), &request.body].concat();
    let tag = header("webhook-signature").strip_prefix("v1,").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    hmac::verify(&key, &signed, &BASE64_STANDARD.decode(tag).unwrap()).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_gets_signed_webhooks() {
    let stack = Stack::deployed().await;
    let shop = Shop::open(&stack).await;
    let server = MockServer::start().await;
    // The first delivery fails.
    let mock = Mock::given(method("POST"));
    mock.respond_with(ResponseTemplate::new(500)).up_to_n_times(1).mount(&server).await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    // The number of endpoints is limited, and only this test has one.
    let path = "/v1/webhook-endpoints/test";
    let put = shop.keeper.put(path, json!({"url": format!("{}/hook", server.uri())})).await;
    assert!(put.status.is_success(), "{put:?}");
    let secret = put.body["secret"].as_str().unwrap();

    let order = id(&check_out(&shop.customer(1).await, GOOD).await);
    // There are messages about the orders of other tests, too.
    let messages = eventually("messages of both kinds", PATIENCE, async || {
        let all = server.received_requests().await.unwrap().into_iter();
        let ours: Vec<_> = all
            .filter(|message| message.body_json::<Value>().unwrap()["data"]["id"] == json!(order))
            .collect();
        let kinds: HashSet<_> = ours.iter().map(kind).collect();
        kinds
            .is_superset(&["order.placed", "order.confirmed"].map(str::to_owned).into())
            .then_some(ours)
    })
    .await;
    assert!(messages.iter().all(|message| is_signed(message, secret)));
    for message in &messages {
        let body: Value = message.body_json().unwrap();
        // A message has the order's status at the time of the event, even if it arrives later.
        let status = if kind(message) == "order.placed" { "processing" } else { "confirmed" };
        assert_eq!(body["data"]["status"], status, "{body}");
    }
    assert_eq!(shop.keeper.delete(path).await.status, 204);
}

fn kind(message: &Request) -> String {
    message.body_json::<Value>().unwrap()["type"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_is_not_charged_and_another_card_pays() {
    let stack = Stack::deployed().await;
    let (shop, provider) = (Shop::open(&stack).await, Provider::of_stack());
    let customer = shop.customer(2).await;
    let answer = check_out(&customer, DECLINED).await;
    assert_eq!(answer.body["status"], "payment_required", "{answer:?}");
    let order = id(&answer);
    let charged = only_charge(&provider, &order).await;
    assert_eq!((charged.captured, charged.held), (0, 0), "{charged:?}");
    assert_eq!(shop.entries(&order).await, []);
    let wanted = json!({"payment_method": "pm_card_visa"});
    let path = format!("/v1/orders/{order}/payments");
    let paid = customer.post(&path, wanted).await;
    assert_eq!(paid.status, 202, "{paid:?}");
    until(&customer, &order, "confirmed").await;
    let charged = only_charge(&provider, &order).await;
    assert!(charged.captured > 0 && charged.held == 0, "{charged:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_needs_authentication_continues_after_the_providers_webhook() {
    let stack = Stack::deployed().await;
    let (shop, provider) = (Shop::open(&stack).await, Provider::of_stack());
    let customer = shop.customer(1).await;
    let answer = check_out(&customer, &provider.needs_action().await).await;
    assert_eq!(answer.body["status"], "action_required", "{answer:?}");
    let order = id(&answer);
    let seen = customer.get(&format!("/v1/orders/{order}")).await.body;
    let charged = only_charge(&provider, &order).await;
    let secret = seen["payment_client_secret"].as_str().unwrap();
    assert!(secret.starts_with(&charged.payment), "{secret}");
    // Only the customer gets the client secret.
    let path = format!("/v1/orders/{order}");
    assert!(shop.keeper.get(&path).await.body.get("payment_client_secret").is_none());
    assert_eq!((charged.captured, shop.stock().await), (0, (STOCK - 1, 1)));

    provider.authenticate(&charged.payment).await;
    provider.tell_held(&stack.api, &charged.payment).await;
    let seen = until(&customer, &order, "confirmed").await;
    assert!(seen.get("payment_client_secret").is_none());
    assert_eq!(only_charge(&provider, &order).await.captured, PRICE);
    assert_eq!(shop.stock().await, (STOCK - 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_the_providers_signature_is_refused() {
    let stack = Stack::deployed().await;
    let body = json!({"type": "payment_intent.succeeded", "data": {"object": {"metadata": {}}}});
    for signature in ["", "t=1,v1=00", "t=9999999999,v1=00"] {
        let headers = [("stripe-signature", signature)];
        let path = "/v1/payments/webhook";
        let answer = stack.call_with(Method::POST, path, None, Some(body.clone()), &headers).await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (400, "invalid-signature"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_releases_its_stock_and_its_payment() {
    let stack = Stack::deployed().await;
    let (shop, provider) = (Shop::open(&stack).await, Provider::of_stack());
    let customer = shop.customer(4).await;
    let order = id(&check_out(&customer, &provider.needs_action().await).await);
    assert_eq!(shop.stock().await, (STOCK - 4, 4));
    let cancel = format!("/v1/orders/{order}/cancel");
    let other = stack.new_user().await;
    assert_eq!(other.post(&cancel, json!({})).await.status, 404);
    assert_eq!(customer.post(&cancel, json!({})).await.status, 200);
    let seen = until(&customer, &order, "cancelled").await;
    assert_eq!(seen["reason"], "customer");
    assert_eq!(shop.stock().await, (STOCK, 0));
    let charged = only_charge(&provider, &order).await;
    let (status, held, captured) = (charged.status.as_str(), charged.held, charged.captured);
    assert_eq!((status, held, captured), ("canceled", 0, 0));

    // A paid order cannot be cancelled, only refunded.
    let customer = shop.customer(1).await;
    let paid = id(&check_out(&customer, GOOD).await);
    let late = customer.post(&format!("/v1/orders/{paid}/cancel"), json!({})).await;
    assert_eq!((late.status.as_u16(), late.problem()), (409, "order-not-cancellable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_never_exceed_the_payment() {
    let stack = Stack::deployed().await;
    let (shop, provider) = (Shop::open(&stack).await, Provider::of_stack());
    let customer = shop.customer(2).await;
    let order = id(&check_out(&customer, GOOD).await);
    let path = format!("/v1/orders/{order}/refunds");
    let part = shop.keeper.post(&path, json!({"amount": 700})).await;
    assert_eq!((part.status.as_u16(), &part.body["status"]), (202, &json!("pending")));
    let too_much = shop.keeper.post(&path, json!({"amount": 2 * PRICE - 699})).await;
    assert_eq!((too_much.status.as_u16(), too_much.problem()), (422, "invalid-refund"));
    let rest = shop.keeper.post(&path, json!({})).await;
    assert_eq!(rest.body["amount"]["amount"], 2 * PRICE - 700, "{rest:?}");
    eventually("both refunds", PATIENCE, async || {
        let seen = customer.get(&format!("/v1/orders/{order}")).await.body;
        (seen["refunded"]["amount"] == 2 * PRICE).then_some(())
    })
    .await;
    let charged = only_charge(&provider, &order).await;
    let refunds: HashSet<u64> = charged.refunds.iter().copied().collect();
    assert_eq!((charged.refunds.len(), refunds), (2, [700, 2 * PRICE - 700].into()));

    let mut entries: Vec<_> = shop.entries(&order).await;
    entries.retain(|(_, cause, _)| cause == "payment");
    let payment = |kind: &str| (kind.to_owned(), "payment".to_owned(), 2 * PRICE);
    assert_eq!(entries, [payment("transfer"), payment("posted")]);
    assert_eq!(shop.entries(&order).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_balances_follow_the_entries_and_are_balanced() {
    let stack = Stack::deployed().await;
    let shop = Shop::open(&stack).await;
    let keeper = &shop.keeper;
    // Only this test uses this currency, so that orders of other tests do not count.
    let (sku, currency) = (format!("SKU-{}", Ulid::generate()), "NOK");
    let price = json!({"amount": 190, "currency": currency});
    keeper.put(&format!("/v1/products/{sku}"), json!({"name": "Needle", "price": price})).await;
    let restock = json!({"quantity": 9, "reason": "restock"});
    keeper.post(&format!("/v1/stock/{sku}/movements"), restock).await;
    let of = async |account: &str, column: &str| {
        let ledger = keeper.get("/v1/ledger").await.body;
        let accounts = ledger["accounts"].as_array().unwrap();
        let ours =
            accounts.iter().find(|it| it["account"] == account && it["currency"] == currency);
        ours.map_or(0, |ours| ours[column].as_i64().unwrap())
    };
    let (sold, refunded) = (of("sales", "credits").await, of("refunds", "debits").await);

    let customer = stack.new_user().await;
    customer.post("/v1/cart/lines", json!({"sku": sku, "quantity": 2})).await;
    let order = id(&check_out(&customer, GOOD).await);
    keeper.post(&format!("/v1/orders/{order}/refunds"), json!({"amount": 40})).await;
    eventually("the balances", PATIENCE, async || {
        let now = (of("sales", "credits").await - sold, of("refunds", "debits").await - refunded);
        (now == (380, 40)).then_some(())
    })
    .await;
    assert_eq!(of("sales", "pending_credits").await, 0);
    // This includes the orders of other tests, and holds at any time.
    assert_eq!(keeper.get("/v1/ledger").await.body["balanced"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_requests_with_one_key_make_one_order_and_one_charge() {
    let stack = Stack::deployed().await;
    let (shop, provider) = (Shop::open(&stack).await, Provider::of_stack());
    let customer = shop.customer(5).await;
    let key = Ulid::generate().to_string();
    let all = (0..12).map(|_| check_out_keyed(&customer, GOOD, &key));
    let answers = futures::future::join_all(all).await;
    let orders: HashSet<_> = answers.iter().map(id).collect();
    assert_eq!(orders.len(), 1, "{answers:?}");
    let order = orders.into_iter().next().unwrap();
    until(&customer, &order, "confirmed").await;
    let charged = only_charge(&provider, &order).await;
    assert_eq!((charged.captured, charged.charges), (5 * PRICE, 1), "{charged:?}");
    let listed = customer.get("/v1/orders").await.body;
    assert_eq!(listed["orders"].as_array().unwrap().len(), 1);
    assert_eq!(shop.stock().await, (STOCK - 5, 0));

    // A repetition after the end gives the same order. Another card is another request.
    assert_eq!(id(&check_out_keyed(&customer, GOOD, &key).await), order);
    let other = check_out_keyed(&customer, DECLINED, &key).await;
    assert_eq!((other.status.as_u16(), other.problem()), (422, "idempotency-key-reused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_cannot_use_the_endpoints_of_admins() {
    let stack = Stack::deployed().await;
    let shop = Shop::open(&stack).await;
    let customer = shop.customer(1).await;
    let order = id(&check_out(&customer, GOOD).await);
    let price = json!({"amount": 1, "currency": "EUR"});
    for (method, path, body) in [
        (Method::PUT, format!("/v1/products/{}", shop.sku), json!({"name": "Awl", "price": price})),
        (
            Method::POST,
            format!("/v1/stock/{}/movements", shop.sku),
            json!({"quantity": 1, "reason": "restock"}),
        ),
        (Method::GET, format!("/v1/stock/{}/movements", shop.sku), Value::Null),
        (Method::GET, format!("/v1/stock/{}", shop.sku), Value::Null),
        (Method::POST, format!("/v1/orders/{order}/refunds"), json!({})),
        (Method::GET, "/v1/stuck-orders".into(), Value::Null),
        (Method::GET, "/v1/ledger".into(), Value::Null),
        (Method::GET, format!("/v1/ledger/{order}"), Value::Null),
        (Method::PUT, "/v1/webhook-endpoints/mine".into(), json!({"url": "https://example.org"})),
        (Method::GET, "/v1/webhook-endpoints".into(), Value::Null),
        (Method::DELETE, "/v1/webhook-endpoints/mine".into(), Value::Null),
        (Method::GET, "/v1/webhook-endpoints/mine/deliveries".into(), Value::Null),
        (
            Method::POST,
            format!("/v1/webhook-endpoints/mine/deliveries/1795255200000-msg_{order}_1/resend"),
            Value::Null,
        ),
        (Method::POST, "/v1/webhook-endpoints/mine/secret".into(), json!({})),
    ] {
        let body = Some(body).filter(|body| !body.is_null());
        let (token, what) = (Some(customer.token.as_str()), format!("{method} {path}"));
        let answer = stack.call(method.clone(), &path, token, body.clone()).await;
        assert_eq!(answer.status, 403, "{what}: {answer:?}");
        assert_eq!(stack.call(method, &path, None, body).await.status, 401, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_ends_an_order_whose_webhook_is_lost() {
    let stack = Stack::deployed().await;
    let (shop, provider) = (Shop::open(&stack).await, Provider::of_stack());
    let customer = shop.customer(1).await;
    let order = id(&check_out(&customer, &provider.needs_action().await).await);
    // The customer authenticates, and there is no webhook: localstripe sends none for this.
    let payment = only_charge(&provider, &order).await.payment;
    provider.authenticate(&payment).await;
    // Make the order overdue now, so that the next sweep finds it.
    let key = |text: &str| AttributeValue::S(text.to_owned());
    aws_sdk_dynamodb::Client::new(&stack.aws)
        .update_item()
        .table_name(stack.output("CheckoutTableName"))
        .key("pk", key(&format!("ORDER#{order}")))
        .key("sk", key("STATE"))
        .update_expression("SET due_at = :past")
        .condition_expression("attribute_exists(due_at)")
        .expression_attribute_values(":past", AttributeValue::N("1".into()))
        .send()
        .await
        .unwrap();
    until(&customer, &order, "confirmed").await;
    assert_eq!(only_charge(&provider, &order).await.captured, PRICE);
}
