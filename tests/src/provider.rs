//! The local payment provider: what it is to do wrong, and what its books say.
//!
//! Each test has a secret key of its own, so that those that run side by side do not meet each other's
//! faults. The provider is localstripe behind `infra/local/provider_proxy.py`.

use std::collections::{BTreeSet, HashMap};

use aws_lc_rs::hmac;
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ulid::Ulid;

/// A means of payment that is good.
pub const GOOD: &str = "pm_card_visa";
/// A means of payment that is declined as soon as money is to be held.
pub const DECLINED: &str = "pm_card_chargeCustomerFail";
/// A card whose owner is asked, and then has the money.
const ASKS: &str = "4000002500003155";
/// A card whose owner is asked, and then has no money.
const ASKS_AND_DECLINES: &str = "4000008400001629";
/// Who looks at the books: no calls of a test's, and none of its faults.
const AUDITOR: &str = "sk_test_auditor";

/// The provider, for one who has a key of their own.
#[derive(Debug)]
pub struct Provider {
    url: String,
    key: String,
    http: Client,
}

/// A request that the provider was sent, whether its answer was heard or not.
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

/// A payment, as the provider's books have it.
#[derive(Debug, PartialEq, Eq)]
pub struct Charged {
    /// Its id.
    pub payment: String,
    /// Where it stands, in Stripe's words.
    pub status: String,
    /// How much it is for.
    pub amount: u64,
    /// How much is held, and not taken.
    pub held: u64,
    /// How much was taken, refunded or not.
    pub captured: u64,
    /// How many charges there were, whatever became of them.
    pub charges: usize,
    /// The amounts that went back.
    pub refunds: Vec<u64>,
}

impl Charged {
    /// How much went back in all.
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
    /// The local provider, and a key that nobody else has.
    #[must_use]
    pub fn new() -> Self {
        Self::with_key(format!("sk_test_{}", Ulid::generate()))
    }

    /// The local provider, and the deployed stack's key, which all tests of the stack have in common: for
    /// looking at its books.
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

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The secret that its webhooks are signed with.
    #[must_use]
    pub fn webhook_secret() -> String {
        std::env::var("PAYMENTS_WEBHOOK_SECRET").expect(
            "PAYMENTS_WEBHOOK_SECRET is not set: these tests need the local payment provider's",
        )
    }

    /// Has it do something wrong: `{"method": "POST", "path": "/confirm$", "fault": "drop_answer"}`, or
    /// `{"hook": "succeeded", "fault": "lose"}`. The faults are in `infra/local/provider_rules.py`.
    pub async fn fault(&self, mut rule: Value) {
        rule["key"] = json!(self.key);
        let answer = self.http.post(self.at("/_faults")).json(&rule).send().await.unwrap();
        assert!(answer.status().is_success(), "{rule}: {}", answer.text().await.unwrap());
    }

    /// The faults that are still to come.
    pub async fn faults(&self) -> Vec<Value> {
        self.json(self.http.get(self.at("/_faults")).query(&[("key", &self.key)])).await
    }

    /// Has it keep its answers by idempotency key, as Stripe does. Otherwise it knows of no such keys.
    pub async fn honour_keys(&self) {
        self.fault(json!({"honour_keys": true})).await;
    }

    /// Has it do nothing wrong any longer, and forget about idempotency keys.
    pub async fn clear(&self) {
        let request = self.http.delete(self.at("/_faults")).query(&[("key", &self.key)]);
        request.send().await.unwrap().error_for_status().unwrap();
    }

    /// Has the webhooks of this key's payments sent to `url`.
    pub async fn send_webhooks_to(&self, url: &str) {
        let target = json!({"id": self.key, "url": url, "key": self.key});
        let request = self.http.post(self.at("/_hooks/targets")).json(&target);
        request.send().await.unwrap().error_for_status().unwrap();
    }

    /// The webhooks of this key's payments that were sent, and what came of each.
    pub async fn webhooks(&self) -> Vec<Value> {
        self.json(self.http.get(self.at("/_hooks")).query(&[("key", &self.key)])).await
    }

    /// What it was asked, with this key.
    pub async fn calls(&self) -> Vec<Call> {
        self.calls_with("").await
    }

    /// What it was asked with this key, where this text is in the form or the answer.
    pub async fn calls_with(&self, text: &str) -> Vec<Call> {
        #[derive(Deserialize)]
        struct Known {
            forgotten: u64,
            calls: Vec<Call>,
        }
        let query = [("key", &*self.key), ("containing", text)];
        let known: Known = self.json(self.http.get(self.at("/_calls")).query(&query)).await;
        assert_eq!(known.forgotten, 0, "there were too many calls to remember all");
        known.calls
    }

    /// How many times something was asked of it whose path ends like this.
    pub async fn posts(&self, end: &str) -> usize {
        let calls = self.calls().await;
        calls.iter().filter(|call| call.method == "POST" && call.path.ends_with(end)).count()
    }

    /// The payments for an order, and what became of each, by the provider's own books.
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
        // Of a payment without a charge localstripe cannot list refunds.
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

    /// A means of payment whose owner is asked, see [`Self::authenticate`].
    pub async fn needs_action(&self) -> String {
        self.card(ASKS).await
    }

    /// A means of payment whose owner is asked, and which is declined then.
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

    /// The customer does what is asked: the payment that needs it goes on.
    pub async fn authenticate(&self, payment: &str) {
        self.answer_as_customer(payment, true).await;
    }

    /// The customer fails to do what is asked.
    pub async fn fail_to_authenticate(&self, payment: &str) {
        self.answer_as_customer(payment, false).await;
    }

    async fn answer_as_customer(&self, payment: &str, success: bool) {
        let path = format!("/v1/payment_intents/{payment}");
        let known = self.look(&path).await;
        let secret = known["client_secret"].as_str().unwrap();
        let form = [("client_secret", secret), ("success", &success.to_string())];
        let request = self.http.post(self.at(&format!("{path}/_authenticate"))).form(&form);
        // 402 is an answer too: the card is declined.
        request.bearer_auth(AUDITOR).send().await.unwrap();
    }

    /// The next refund of this key stands so at first.
    pub async fn next_refund(&self, status: &str) {
        self.tell("/_refunds", json!({"key": self.key, "status": status})).await;
    }

    /// A refund goes on, as the provider and the customer's bank have it.
    pub async fn settle_refund(&self, id: &str, status: &str, failure: Option<&str>) {
        let told = json!({"status": status, "failure_reason": failure});
        self.tell(&format!("/_refunds/{id}"), told).await;
    }

    /// A customer's bank disputes a payment; gives the dispute's id.
    pub async fn dispute(&self, payment: &str, status: &str) -> String {
        let told = json!({"payment_intent": payment, "status": status});
        self.tell("/_disputes", told).await["id"].as_str().unwrap().to_owned()
    }

    /// A dispute goes on.
    pub async fn settle_dispute(&self, id: &str, status: &str) {
        self.tell(&format!("/_disputes/{id}"), json!({"status": status})).await;
    }

    /// A dispute goes on, and the provider gives back so much of it.
    pub async fn reinstate(&self, id: &str, status: &str, amount: u64) {
        let told = json!({"status": status, "reinstated": amount});
        self.tell(&format!("/_disputes/{id}"), told).await;
    }

    /// Somebody sends money back by hand; gives the refund's id.
    pub async fn refund_by_hand(&self, payment: &str, amount: u64) -> String {
        let form = [("payment_intent", payment.to_owned()), ("amount", amount.to_string())];
        let request = self.http.post(self.at("/v1/refunds")).form(&form);
        let made: Value = self.json(request.bearer_auth(AUDITOR)).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Somebody takes what is held by hand, or a part of it.
    pub async fn capture_by_hand(&self, payment: &str, amount: Option<u64>) {
        let form: Vec<_> =
            amount.map(|amount| ("amount_to_capture", amount.to_string())).into_iter().collect();
        let path = format!("/v1/payment_intents/{payment}/capture");
        let request = self.http.post(self.at(&path)).form(&form).bearer_auth(AUDITOR);
        request.send().await.unwrap().error_for_status().unwrap();
    }

    async fn tell(&self, path: &str, told: Value) -> Value {
        let answer = self.http.post(self.at(path)).json(&told).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap_or_default()
    }

    /// Tells `api` that a payment's money is held now: as Stripe does, and localstripe does not.
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
