//! The local payment provider: its injected faults and its records.
//!
//! Each test has its own secret key, so that faults of parallel tests do not affect each other. The
//! provider is localstripe behind `infra/local/provider_proxy.py`.

use std::collections::{BTreeSet, HashMap};

use aws_lc_rs::hmac;
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ulid::Ulid;

/// A payment method that succeeds.
pub const GOOD: &str = "pm_card_visa";
/// A payment method that is declined at authorisation.
pub const DECLINED: &str = "pm_card_chargeCustomerFail";
/// A card that requires authentication, and then succeeds.
const ASKS: &str = "4000002500003155";
/// A card that requires authentication, and then is declined.
const ASKS_AND_DECLINES: &str = "4000008400001629";
/// A key to read the provider's records: its calls are in no test's list, and meet no faults.
const AUDITOR: &str = "sk_test_auditor";

/// The provider, with a secret key.
#[derive(Debug)]
pub struct Provider {
    url: String,
    key: String,
    http: Client,
}

/// A request to the provider, whether its sender got the answer or not.
#[derive(Debug, Deserialize)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The form's fields.
    pub form: HashMap<String, String>,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
    /// The answer's status, once there is one.
    pub status: Option<u16>,
    /// The answer's body.
    pub answer: Value,
}

/// A payment in the provider's records. Amounts are in the smallest unit of the currency.
#[derive(Debug, PartialEq, Eq)]
pub struct Charged {
    /// Its id.
    pub payment: String,
    /// Its status, as Stripe names it.
    pub status: String,
    /// Its amount.
    pub amount: u64,
    /// The amount that is authorised and not captured.
    pub held: u64,
    /// The captured amount, refunds included.
    pub captured: u64,
    /// The number of charges, of any outcome.
    pub charges: usize,
    /// The amounts of the successful refunds.
    pub refunds: Vec<u64>,
}

impl Charged {
    /// The total amount of the refunds.
    #[must_use]
    pub fn refunded(&self) -> u64 {
        self.refunds.iter().sum()
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider {
    /// The local provider, with a new key.
    #[must_use]
    pub fn new() -> Self {
        Self::with_key(format!("sk_test_{}", Ulid::generate()))
    }

    /// The local provider, with the key of the deployed stack, which all its tests share: only to read
    /// records.
    #[must_use]
    pub fn of_stack() -> Self {
        let key = std::env::var("PAYMENTS_SECRET_KEY");
        Self::with_key(key.expect("PAYMENTS_SECRET_KEY is not set: run `make test`"))
    }

    fn with_key(key: String) -> Self {
        let url = std::env::var("PAYMENTS_URL").expect(
            "PAYMENTS_URL is not set: these tests need a local payment provider; run `make test`",
        );
        Self { url, key, http: Client::new() }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The secret that signs its webhooks.
    #[must_use]
    pub fn webhook_secret() -> String {
        std::env::var("PAYMENTS_WEBHOOK_SECRET").expect(
            "PAYMENTS_WEBHOOK_SECRET is not set: these tests need the local payment provider's",
        )
    }

    /// Injects a fault: `{"method": "POST", "path": "/confirm$", "fault": "drop_answer"}`, or
    /// `{"hook": "succeeded", "fault": "lose"}`. The faults are in `infra/local/provider_rules.py`.
    pub async fn fault(&self, mut rule: Value) {
        rule["key"] = json!(self.key);
        let answer = self.http.post(self.at("/_faults")).json(&rule).send().await.unwrap();
        assert!(answer.status().is_success(), "{rule}: {}", answer.text().await.unwrap());
    }

    /// The faults that have not occurred yet.
    pub async fn faults(&self) -> Vec<Value> {
        self.json(self.http.get(self.at("/_faults")).query(&[("key", &self.key)])).await
    }

    /// Makes it save its answers by idempotency key, as Stripe does. By default, it ignores these keys.
    pub async fn honour_keys(&self) {
        self.fault(json!({"honour_keys": true})).await;
    }

    /// Removes all faults, and makes it ignore idempotency keys again.
    pub async fn clear(&self) {
        let request = self.http.delete(self.at("/_faults")).query(&[("key", &self.key)]);
        request.send().await.unwrap().error_for_status().unwrap();
    }

    /// Makes it send the webhooks of this key's payments to `url`.
    pub async fn send_webhooks_to(&self, url: &str) {
        let target = json!({"id": self.key, "url": url, "key": self.key});
        let request = self.http.post(self.at("/_hooks/targets")).json(&target);
        request.send().await.unwrap().error_for_status().unwrap();
    }

    /// The webhooks that it sent for this key's payments, each with its outcome.
    pub async fn webhooks(&self) -> Vec<Value> {
        self.json(self.http.get(self.at("/_hooks")).query(&[("key", &self.key)])).await
    }

    /// The requests with this key.
    pub async fn calls(&self) -> Vec<Call> {
        self.calls_with("").await
    }

    /// The requests with this key that have `text` in the form or the answer.
    pub async fn calls_with(&self, text: &str) -> Vec<Call> {
        #[derive(Deserialize)]
        struct Known {
            forgotten: u64,
            calls: Vec<Call>,
        }
        let query = [("key", &*self.key), ("containing", text)];
        let known: Known = self.json(self.http.get(self.at("/_calls")).query(&query)).await;
        assert_eq!(known.forgotten, 0, "the provider has dropped some calls from its list");
        known.calls
    }

    /// The number of POST requests whose path ends with `end`.
    pub async fn posts(&self, end: &str) -> usize {
        let calls = self.calls().await;
        calls.iter().filter(|call| call.method == "POST" && call.path.ends_with(end)).count()
    }

    /// The payments for an order, from the provider's records.
    pub async fn charges_of(&self, order: &str) -> Vec<Charged> {
        let is_for = |answer: &Value| {
            answer["object"] == "payment_intent" && answer["metadata"]["order_id"] == order
        };
        let calls = self.calls_with(order).await;
        let answers = calls.iter().map(|call| &call.answer).filter(|answer| is_for(answer));
        let ids: BTreeSet<_> = answers.map(|answer| answer["id"].as_str().unwrap()).collect();
        let mut charged = Vec::new();
        for id in ids {
            charged.push(self.charged(id).await);
        }
        charged
    }

    async fn charged(&self, id: &str) -> Charged {
        let payment = self.look(&format!("/v1/payment_intents/{id}")).await;
        let status = payment["status"].as_str().unwrap();
        let charges = payment["charges"]["data"].as_array().unwrap();
        let is_held =
            |charge: &&Value| charge["status"] == "succeeded" && charge["captured"] == false;
        let held = charges.iter().filter(is_held).map(|charge| charge["amount"].as_u64().unwrap());
        // localstripe cannot list the refunds of a payment without a charge.
        let refunds = if charges.is_empty() { Vec::new() } else { self.refunds_of(id).await };
        Charged {
            payment: id.to_owned(),
            status: status.to_owned(),
            amount: payment["amount"].as_u64().unwrap(),
            held: if status == "canceled" { 0 } else { held.sum() },
            captured: payment["amount_received"].as_u64().unwrap(),
            charges: charges.len(),
            refunds,
        }
    }

    async fn refunds_of(&self, payment: &str) -> Vec<u64> {
        let refunds = self.look(&format!("/v1/refunds?payment_intent={payment}&limit=1000")).await;
        let refunds = refunds["data"].as_array().unwrap().iter();
        let refunds = refunds.filter(|refund| refund["status"] == "succeeded");
        refunds.map(|refund| refund["amount"].as_u64().unwrap()).collect()
    }

    /// A payment method that requires authentication: see [`Self::authenticate`].
    pub async fn needs_action(&self) -> String {
        self.card(ASKS).await
    }

    /// A payment method that requires authentication, and then is declined.
    pub async fn needs_action_and_declines(&self) -> String {
        self.card(ASKS_AND_DECLINES).await
    }

    async fn card(&self, number: &str) -> String {
        let form = [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2030"),
            ("card[cvc]", "123"),
        ];
        let request = self.http.post(self.at("/v1/payment_methods")).form(&form);
        let made: Value = self.json(request.bearer_auth(AUDITOR)).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Authenticates as the customer: the payment continues.
    pub async fn authenticate(&self, payment: &str) {
        self.answer_as_customer(payment, true).await;
    }

    /// Fails to authenticate as the customer.
    pub async fn fail_to_authenticate(&self, payment: &str) {
        self.answer_as_customer(payment, false).await;
    }

    async fn answer_as_customer(&self, payment: &str, success: bool) {
        let path = format!("/v1/payment_intents/{payment}");
        let known = self.look(&path).await;
        let secret = known["client_secret"].as_str().unwrap();
        let form = [("client_secret", secret), ("success", &success.to_string())];
        let request = self.http.post(self.at(&format!("{path}/_authenticate"))).form(&form);
        // 402 is a valid answer: the card is declined.
        request.bearer_auth(AUDITOR).send().await.unwrap();
    }

    /// Sets the first status of the next refund with this key.
    pub async fn next_refund(&self, status: &str) {
        self.post_json("/_refunds", json!({"key": self.key, "status": status})).await;
    }

    /// Sets the next status of a refund, as the provider or the customer's bank does.
    pub async fn settle_refund(&self, id: &str, status: &str, failure: Option<&str>) {
        let body = json!({"status": status, "failure_reason": failure});
        self.post_json(&format!("/_refunds/{id}"), body).await;
    }

    /// Disputes a payment as the customer's bank; gives the dispute's id.
    pub async fn dispute(&self, payment: &str, status: &str) -> String {
        let body = json!({"payment_intent": payment, "status": status});
        self.post_json("/_disputes", body).await["id"].as_str().unwrap().to_owned()
    }

    /// Sets the next status of a dispute.
    pub async fn settle_dispute(&self, id: &str, status: &str) {
        self.post_json(&format!("/_disputes/{id}"), json!({"status": status})).await;
    }

    /// Sets the next status of a dispute; the provider gives back `amount`.
    pub async fn reinstate(&self, id: &str, status: &str, amount: u64) {
        let body = json!({"status": status, "reinstated": amount});
        self.post_json(&format!("/_disputes/{id}"), body).await;
    }

    /// Makes a refund at the provider by hand; gives the refund's id.
    pub async fn refund_by_hand(&self, payment: &str, amount: u64) -> String {
        let form = [("payment_intent", payment.to_owned()), ("amount", amount.to_string())];
        let request = self.http.post(self.at("/v1/refunds")).form(&form);
        let made: Value = self.json(request.bearer_auth(AUDITOR)).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Captures a payment at the provider by hand: `amount`, or all of it.
    pub async fn capture_by_hand(&self, payment: &str, amount: Option<u64>) {
        let form: Vec<_> =
            amount.map(|amount| ("amount_to_capture", amount.to_string())).into_iter().collect();
        let path = format!("/v1/payment_intents/{payment}/capture");
        let request = self.http.post(self.at(&path)).form(&form).bearer_auth(AUDITOR);
        request.send().await.unwrap().error_for_status().unwrap();
    }

    async fn post_json(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(self.at(path)).json(&body).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap_or_default()
    }

    /// Sends `api` the webhook of an authorised payment, which Stripe sends and localstripe does not.
    pub async fn tell_held(&self, api: &str, payment: &str) {
        let held = self.look(&format!("/v1/payment_intents/{payment}")).await;
        let kind = "payment_intent.amount_capturable_updated";
        let body = json!({"type": kind, "data": {"object": held}}).to_string();
        let at = Timestamp::now().as_second();
        let key = hmac::Key::new(hmac::HMAC_SHA256, Self::webhook_secret().as_bytes());
        let tag = hmac::sign(&key, format!("{at}.{body}").as_bytes());
        let hex = tag.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let request = self.http.post(format!("{api}/v1/payments/webhook")).body(body);
        let request = request.header("stripe-signature", format!("t={at},v1={hex}"));
        request.send().await.unwrap().error_for_status().unwrap();
    }

    async fn look(&self, path: &str) -> Value {
        self.json(self.http.request(Method::GET, self.at(path)).bearer_auth(AUDITOR)).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> T {
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }
}
