//! An endpoint with its receiver, and jobs for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::Result;
use shared::batch::{self, Failure};
use shared::clock::Clock;
use shared::http::Json;
use shared::id::Ids;
use shared::queue::Queue;
use shared::table::{Table, key};
use shared::webhook::{
    Courier, Deliver, DeliveryId, Job, Message, Place, Reason, Source, Store, Webhook,
};
use testing::account;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Maximum failed attempts of a job before its last attempt.
pub(super) const MAX: u32 = 3;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) number: u32,
}

/// A source with one message per number `n`, created `n` seconds after the start.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    pub(super) place: Place,
    pub(super) start: Timestamp,
    pub(super) are_forgotten: Arc<AtomicBool>,
}

impl Source for Numbers {
    type About = About;

    async fn find(&self, about: &About) -> Result<Option<(Place, Message)>> {
        if self.are_forgotten.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let number = about.number;
        let message = Message {
            id: format!("msg_{number}"),
            kind: "number.said".into(),
            created_at: self.start + Duration::from_secs(number.into()),
            body: json!({ "number": number }).to_string(),
        };
        Ok(Some((self.place.clone(), message)))
    }
}

/// The table of all endpoints of a test.
pub(super) struct World {
    pub(super) aws: SdkConfig,
    pub(super) table: Table,
    pub(super) worlds: AtomicU32,
}

/// An endpoint with its receiver and a manual clock.
pub(super) struct Post {
    pub(super) clock: Clock,
    pub(super) table: Table,
    pub(super) store: Store,
    pub(super) numbers: Numbers,
    pub(super) deliver: Deliver,
    pub(super) server: MockServer,
}

pub(super) async fn world() -> World {
    let aws = account::empty().await;
    let name = account::table(&aws, &["pk", "sk"]).await;
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), name);
    World { aws, table, worlds: AtomicU32::new(0) }
}

impl World {
    /// A new endpoint whose receiver answers with `status`.
    pub(super) async fn post(&self, status: u16) -> Post {
        let number = self.worlds.fetch_add(1, Ordering::SeqCst);
        let clock = Clock::manual("2026-11-30T10:00:00Z".parse().unwrap());
        let store = Store::new(self.table.clone());
        let place = Place {
            endpoint: ("ENDPOINTS".into(), number.to_string()),
            deliveries: format!("DELIVERIES#{number}"),
        };
        let numbers = Numbers { place, start: clock.now(), are_forgotten: Arc::default() };
        let deliver = Deliver {
            store: store.clone(),
            courier: Courier::new(true).unwrap(),
            clock: clock.clone(),
            ids: Ids::random(clock.clone()),
        };
        let server = MockServer::start().await;
        let post = Post { clock, table: self.table.clone(), store, numbers, deliver, server };
        post.answer(status).await;
        let webhook = Webhook::at(post.server.uri()).unwrap();
        post.put(&webhook).await;
        post
    }
}

impl Post {
    pub(super) async fn answer(&self, status: u16) {
        self.server.reset().await;
        let answer = ResponseTemplate::new(status);
        Mock::given(method("POST")).respond_with(answer).mount(&self.server).await;
    }

    pub(super) fn endpoint_key(&self) -> shared::table::Item {
        let (pk, sk) = &self.numbers.place.endpoint;
        key(pk, sk)
    }

    /// Writes the endpoint's item, as a system does.
    pub(super) async fn put(&self, webhook: &impl Serialize) {
        let item = json!({"webhook": webhook, "other": true});
        self.table.put(self.endpoint_key(), &item).unwrap().send().await.unwrap();
    }

    pub(super) async fn remove(&self) {
        self.table.delete(self.endpoint_key()).send().await.unwrap();
    }

    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }

    /// Runs a job that the queue delivers for the `count`th time.
    pub(super) async fn tell(&self, number: u32, count: u32) -> Result<(), Failure> {
        self.job(Job::V1 { about: About { number } }, count).await
    }

    pub(super) async fn job(&self, body: Job<About>, receive_count: u32) -> Result<(), Failure> {
        let job = batch::Message { message_id: "m".into(), receive_count, group: None, body };
        self.deliver.job(&self.numbers, job, MAX).await
    }

    pub(super) async fn webhook(&self) -> Webhook {
        self.store.webhook(&self.numbers.place).await.unwrap().unwrap()
    }

    /// The reason why the endpoint is disabled, if it is.
    pub(super) async fn reason(&self) -> Option<Reason> {
        self.webhook().await.disabled().map(|disabled| disabled.reason)
    }

    /// The time since when deliveries fail.
    pub(super) async fn failing_since(&self) -> Value {
        serde_json::to_value(self.webhook().await).unwrap()["failing_since"].clone()
    }

    /// The number of requests. Asserts that all have one message id.
    pub(super) async fn posts(&self) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        let mut ids: Vec<_> = requests.iter().map(|it| &it.headers["webhook-id"]).collect();
        ids.dedup();
        assert!(ids.len() <= 1, "{ids:?}");
        requests.len()
    }

    pub(super) async fn page(&self, query: Value) -> Value {
        let page = serde_json::from_value(query).unwrap();
        let (_, Json(page)) =
            self.store.page(&self.numbers.place, &page, &self.clock).await.unwrap();
        serde_json::to_value(page).unwrap()
    }

    /// The deliveries in the log.
    pub(super) async fn log(&self) -> Vec<Value> {
        self.page(json!({"limit": 100})).await["deliveries"].as_array().unwrap().clone()
    }

    /// The only delivery: outcome, number of attempts, last status and last error.
    pub(super) async fn delivery(&self) -> (String, u64, Value, Value) {
        let log = self.log().await;
        assert_eq!(log.len(), 1, "{log:?}");
        let (outcome, last) = (log[0]["outcome"].as_str().unwrap(), &log[0]["last_attempt"]);
        let attempts = log[0]["attempts"].as_u64().unwrap();
        (outcome.to_owned(), attempts, last["status"].clone(), last["error"].clone())
    }

    /// Sends a message again. Returns the response body.
    pub(super) async fn resend(&self, number: u32, queue: &Queue) -> Result<Value> {
        let at = self.numbers.start + Duration::from_secs(number.into());
        let id = DeliveryId::of(at, &format!("msg_{number}")).to_string();
        let (status, shown) =
            self.store.resend(&self.numbers.place, &id, queue, &self.clock).await?;
        assert_eq!(status.as_u16(), 202);
        Ok(serde_json::to_value(shown.0).unwrap())
    }
}
