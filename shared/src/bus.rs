//! Publishes events on an EventBridge bus, for the systems that subscribe to them.
//!
//! **Guarantees.** When [`Bus::publish`] returns, the bus has the event, at least once. An event published
//! again has the same `source` and `id`, so a subscriber recognises it. The envelope has the names of
//! [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) and of its
//! extension for [tracing](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md),
//! and carries the correlation id and the trace of the invocation that published it.
//!
//! ```no_run
//! # async fn example(client: aws_sdk_eventbridge::Client) -> shared::Result<()> {
//! use shared::bus::{Bus, Event};
//! use shared::clock::Clock;
//!
//! let bus = Bus::new(client, "events".into(), "arsenal.documents");
//! let data = serde_json::json!({"pages": 3});
//! let event = Event::new("document.ready", "doc_1-4", Clock::System.now(), data);
//! bus.publish(event.subject(&"doc_1").tenant(&"ten_1")).await?;
//! # Ok(()) }
//! ```
//!
//! EventBridge delivers the envelope as the event's `detail`. Its `source` is the envelope's `source`, and
//! its `detail-type` is the envelope's `type`, so the pattern of a rule names both:
//! `{"source": ["arsenal.checkout"], "detail-type": ["order.confirmed"]}`. With the input path `$.detail`,
//! a queue gets the envelope alone, and its [consumer](crate::batch) parses it as an [`Event`].

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::point;
use crate::{Error, Result, invocation};

/// The version of CloudEvents.
const SPECIFICATION: &str = "1.0";

/// An event and its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event<T> {
    specversion: String,
    /// What happened, such as `order.confirmed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The version of `data`. A change that a subscriber cannot ignore gets a new version.
    pub dataversion: String,
    /// The system that published the event, such as `arsenal.checkout`. [`Bus::publish`] sets it.
    #[serde(default)]
    pub source: String,
    /// The event's id. Unique for its source.
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// What it happened to, such as an order's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The tenant that owns the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The trace, in the format of the W3C header. [`Bus::publish`] sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The id that all log lines of one piece of work share. [`Bus::publish`] sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    datacontenttype: String,
    /// The content.
    pub data: T,
}

impl<T> Event<T> {
    /// An event of the type `kind`, with version `1` of its data.
    #[must_use]
    pub fn new(kind: &str, id: &str, time: Timestamp, data: T) -> Self {
        Self {
            specversion: SPECIFICATION.to_owned(),
            kind: kind.to_owned(),
            dataversion: "1".to_owned(),
            source: String::new(),
            id: id.to_owned(),
            time,
            subject: None,
            tenant: None,
            traceparent: None,
            correlationid: None,
            datacontenttype: "application/json".to_owned(),
            data,
        }
    }

    /// Sets what the event happened to.
    #[must_use]
    pub fn subject(mut self, subject: &impl ToString) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    /// Sets the tenant that owns the subject.
    #[must_use]
    pub fn tenant(mut self, tenant: &impl ToString) -> Self {
        self.tenant = Some(tenant.to_string());
        self
    }
}

/// A bus to publish to, as one source.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    name: String,
    source: &'static str,
}

impl Bus {
    /// The bus `name`, a name or an ARN. `source` names the system that publishes, such as
    /// `arsenal.checkout`.
    #[must_use]
    pub fn new(client: Client, name: String, source: &'static str) -> Self {
        Self { client, name, source }
    }

    /// Publishes an event. Subscribers may get it more than once.
    ///
    /// # Errors
    /// When the data cannot be serialized as JSON, or EventBridge refuses the event or does not answer.
    pub async fn publish<T: Serialize>(&self, mut event: Event<T>) -> Result<()> {
        self.source.clone_into(&mut event.source);
        let mut entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(self.source)
            .detail_type(&event.kind)
            .time(aws_sdk_eventbridge::primitives::DateTime::from_millis(
                event.time.as_millisecond(),
            ));
        if let Some(current) = invocation::current() {
            event.traceparent = Some(current.trace.traceparent());
            entry = entry.trace_header(current.trace.xray());
            event.correlationid = Some(current.correlation_id);
        }
        let entry = entry.detail(serde_json::to_string(&event)?).build();
        let request = self.client.put_events().entries(entry);
        let answer = point("bus.publish", || request.clone().send()).await?;
        // EventBridge answers 200 for an entry that it refuses.
        if answer.failed_entry_count == 0 {
            return Ok(());
        }
        let refused = answer.entries().iter().find_map(|entry| entry.error_code.clone());
        let code = refused.unwrap_or_default();
        Err(Error::internal(format!("the bus refused the event {}: {code}", event.id)))
    }
}
