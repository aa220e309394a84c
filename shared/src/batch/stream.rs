use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::attempt::{Ended, Limits, in_time};
use super::{BatchResponse, Failure};
use crate::idempotency::hash::hex;
use crate::invocation::Invocation;
use crate::queue::{CORRELATION_ID, Queue, TRACEPARENT, text};
use crate::trace::TraceContext;
use crate::{Error, Result};

/// An event of a DynamoDB stream or of Kinesis. Its records are parsed one by one, so that a bad
/// record fails alone.
#[derive(Clone, Debug, Deserialize)]
pub struct StreamEvent {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

/// A change of an item of a DynamoDB table, whose items parse as `T`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<T> {
    /// The id that DynamoDB gave the change; a redelivery keeps it.
    pub event_id: String,
    /// What happened to the item.
    pub kind: ChangeKind,
    /// The item before the change, if the stream has old images.
    pub old: Option<T>,
    /// The item after the change, if the stream has new images.
    pub new: Option<T>,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeKind {
    /// It was added.
    Insert,
    /// It was changed.
    Modify,
    /// It was deleted, by a request or by TTL.
    Remove,
}

/// A record of a Kinesis stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datum<T> {
    /// The key that selects the shard.
    pub partition_key: String,
    /// The record's position in the shard.
    pub sequence_number: String,
    /// The data, parsed from JSON.
    pub data: T,
}

/// Consumes a shard of a stream in order: see the [module](super).
#[derive(Clone, Debug, Default)]
pub struct Stream {
    dead_letters: Option<Queue>,
    /// The number of partition keys that are handled at once. `None`: all records are in one order.
    keys_at_once: Option<usize>,
    /// The age from which a failure counts as permanent.
    give_up_after: Option<Duration>,
    /// The attribute of items that dead letters have only a hash of.
    hidden: Option<&'static str>,
    limits: Limits,
}

/// Where the members of a record are, as JSON pointers.
struct Format {
    sequence_number: &'static str,
    partition_key: &'static str,
}

const CHANGE: Format =
    Format { sequence_number: "/dynamodb/SequenceNumber", partition_key: "/dynamodb/Keys/pk" };
const DATUM: Format =
    Format { sequence_number: "/kinesis/sequenceNumber", partition_key: "/kinesis/partitionKey" };

/// A parsed record, and the request that caused it.
struct Parsed<R> {
    record: R,
    correlation_id: Option<String>,
    trace: Option<TraceContext>,
}

impl Stream {
    /// Consumes a stream, one record at a time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends records that fail permanently to `queue`, as JSON in the form of the event, and continues
    /// with the next record.
    #[must_use]
    pub fn dead_letters(mut self, queue: Queue) -> Self {
        self.dead_letters = Some(queue);
        self
    }

    /// Handles the records of up to `keys` partition keys at once: the attribute `pk` of a table. Records of
    /// one key stay in order, and a failure stops only the records of its key.
    #[must_use]
    pub fn keys_at_once(mut self, keys: usize) -> Self {
        self.keys_at_once = Some(keys.max(1));
        self
    }

    /// Takes a failure of a change of a table as permanent when the change is older than `age`. Otherwise
    /// Lambda delivers it again and again, and all later changes of its shard wait.
    #[must_use]
    pub fn give_up_after(mut self, age: Duration) -> Self {
        self.give_up_after = Some(age);
        self
    }

    /// Puts a SHA-256 in place of the attribute `name` of items into dead letters. It hides a secret that cannot be guessed.
    #[must_use]
    pub fn hiding(mut self, name: &'static str) -> Self {
        self.hidden = Some(name);
        self
    }

    /// Limits the time of each record: a record that takes longer fails, and a record is not started
    /// when less time is left of the invocation.
    #[must_use]
    pub fn time_limit(mut self, time_limit: Duration) -> Self {
        self.limits.time_limit = Some(time_limit);
        self
    }

    /// Calls `handler` with each change of a DynamoDB stream.
    ///
    /// # Errors
    /// When a record has no sequence number, and so cannot be reported.
    pub async fn changes<T, F, Fut>(
        &self,
        event: StreamEvent,
        invocation: &Invocation,
        handler: F,
    ) -> Result<BatchResponse>
    where
        T: DeserializeOwned,
        F: Fn(Change<T>) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        self.run(event, invocation, CHANGE, parse_change, handler).await
    }

    /// Calls `handler` with each record of a Kinesis stream.
    ///
    /// # Errors
    /// When a record has no sequence number, and so cannot be reported.
    pub async fn data<T, F, Fut>(
        &self,
        event: StreamEvent,
        invocation: &Invocation,
        handler: F,
    ) -> Result<BatchResponse>
    where
        T: DeserializeOwned,
        F: Fn(Datum<T>) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        self.run(event, invocation, DATUM, parse_datum, handler).await
    }

    /// Gives the first record that must be delivered again. Lambda delivers it and all after it again.
    async fn run<R, F, Fut>(
        &self,
        event: StreamEvent,
        invocation: &Invocation,
        format: Format,
        parse: fn(&Value) -> Result<Parsed<R>>,
        handler: F,
    ) -> Result<BatchResponse>
    where
        F: Fn(R) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        let id = |record: &Value| {
            let id = record.pointer(format.sequence_number).and_then(Value::as_str);
            let id = id.filter(|id| !id.is_empty()).map(str::to_owned);
            id.ok_or_else(|| Error::internal("a record has no sequence number"))
        };
        let ids: Vec<String> = event.records.iter().map(id).collect::<Result<_>>()?;
        let (ids, records, handler) = (&ids, &event.records, &handler);
        let lane = async |lane: Vec<usize>| {
            for at in lane {
                if !self.record(&records[at], &ids[at], invocation, parse, handler).await {
                    return Some(at);
                }
            }
            None
        };
        let lanes = stream::iter(self.lanes(records, &format)).map(lane);
        let failed = lanes.buffer_unordered(self.keys_at_once.unwrap_or(1));
        let failed: Vec<Option<usize>> = failed.collect().await;
        let first = failed.into_iter().flatten().min();
        Ok(BatchResponse::of(first.map(|at| ids[at].clone())))
    }

    /// The positions of the records that must be handled in order.
    fn lanes(&self, records: &[Value], format: &Format) -> Vec<Vec<usize>> {
        let mut lanes: Vec<Vec<usize>> = Vec::new();
        let mut of_key: HashMap<String, usize> = HashMap::new();
        for (at, record) in records.iter().enumerate() {
            let key = record.pointer(format.partition_key).filter(|_| self.keys_at_once.is_some());
            let key = key.map(Value::to_string).unwrap_or_default();
            let lane = *of_key.entry(key).or_insert(lanes.len());
            if lane == lanes.len() {
                lanes.push(Vec::new());
            }
            lanes[lane].push(at);
        }
        lanes
    }

    /// Handles a record. Gives whether it is done: handled, or in the dead-letter queue.
    async fn record<R, F, Fut>(
        &self,
        record: &Value,
        id: &str,
        invocation: &Invocation,
        parse: fn(&Value) -> Result<Parsed<R>>,
        handler: &F,
    ) -> bool
    where
        F: Fn(R) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        let (invocation, ended) = match parse(record) {
            Ok(parsed) => {
                let invocation = invocation.caused_by(parsed.correlation_id, parsed.trace);
                let handling = async { handler(parsed.record).await };
                let ended = self.limits.attempt(&invocation, handling).await;
                (invocation, ended)
            }
            Err(error) => (invocation.clone(), Ended::Failed(Failure::Permanent(error))),
        };
        let (outcome, done) = match ended {
            Ended::Done => ("RecordsSucceeded", true),
            Ended::NotStarted => ("RecordsNotStarted", false),
            Ended::Failed(failure) => {
                let given_up = self.give_up(record, id, failure, &invocation);
                let given_up = Box::pin(invocation.clone().scope(given_up)).await;
                (if given_up { "RecordsGivenUp" } else { "RecordsFailed" }, given_up)
            }
        };
        metrics::counter!(outcome).increment(1);
        done
    }

    /// Sends a record that fails permanently to the dead-letter queue. Gives whether the record is in
    /// that queue.
    async fn give_up(
        &self,
        record: &Value,
        id: &str,
        failure: Failure,
        invocation: &Invocation,
    ) -> bool {
        let reason = failure.error().trail();
        tracing::error!(sequence_number = id, error = reason, "record failed");
        let is_final = matches!(failure, Failure::Permanent(_)) || self.is_old(record);
        let Some(queue) = self.dead_letters.as_ref().filter(|_| is_final) else { return false };
        let reason = super::sqs::shortened(&reason);
        let sent = async {
            let attributes = [("failure_reason".to_owned(), text(reason)?)];
            queue.forward(self.shown(record).to_string(), attributes.into(), None).await
        };
        match in_time(invocation, sent).await {
            Ok(()) => true,
            Err(error) => {
                let error = error.trail();
                tracing::error!(sequence_number = id, error, "dead-letter queue not reached");
                false
            }
        }
    }
}

impl Stream {
    /// The record with a hash in place of its hidden attribute, which still tells whether it has changed.
    fn shown(&self, record: &Value) -> Value {
        let mut shown = record.clone();
        for image in ["/dynamodb/OldImage", "/dynamodb/NewImage"] {
            let attributes = shown.pointer_mut(image).and_then(Value::as_object_mut);
            if let Some((attributes, name)) = attributes.zip(self.hidden)
                && let Some(value) = attributes.get_mut(name)
            {
                *value = json!({"S": hex(&Sha256::digest(value.to_string()))});
            }
        }
        shown
    }

    /// Whether a change is too old to be tried again.
    fn is_old(&self, record: &Value) -> bool {
        let at = record.pointer("/dynamodb/ApproximateCreationDateTime").and_then(Value::as_f64);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let aged = self.give_up_after.zip(at);
        aged.is_some_and(|(age, at)| now - at > age.as_secs_f64())
    }
}

fn parse_change<T: DeserializeOwned>(record: &Value) -> Result<Parsed<Change<T>>> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "eventID")]
        event_id: String,
        #[serde(rename = "eventName")]
        kind: ChangeKind,
        dynamodb: Images,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Images {
        old_image: Option<serde_dynamo::Item>,
        new_image: Option<serde_dynamo::Item>,
    }
    let Envelope { event_id, kind, dynamodb } = Envelope::deserialize(record)?;
    let attribute = |name: &str| match dynamodb.new_image.as_ref()?.get(name)? {
        serde_dynamo::AttributeValue::S(value) => Some(value.clone()),
        _ => None,
    };
    let (correlation_id, traceparent) = (attribute(CORRELATION_ID), attribute(TRACEPARENT));
    let item = |image: Option<serde_dynamo::Item>| image.map(serde_dynamo::from_item).transpose();
    Ok(Parsed {
        record: Change {
            event_id,
            kind,
            old: item(dynamodb.old_image)?,
            new: item(dynamodb.new_image)?,
        },
        correlation_id,
        trace: traceparent.and_then(|header| TraceContext::from_traceparent(&header)),
    })
}

fn parse_datum<T: DeserializeOwned>(record: &Value) -> Result<Parsed<Datum<T>>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope {
        partition_key: String,
        sequence_number: String,
        data: String,
    }
    let envelope = record.get("kinesis").ok_or_else(|| Error::internal("not a Kinesis record"))?;
    let Envelope { partition_key, sequence_number, data } = Envelope::deserialize(envelope)?;
    let data: Value = serde_json::from_slice(&BASE64_STANDARD.decode(data)?)?;
    let attribute = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
    let (correlation_id, traceparent) = (attribute(CORRELATION_ID), attribute(TRACEPARENT));
    Ok(Parsed {
        record: Datum { partition_key, sequence_number, data: serde_json::from_value(data)? },
        correlation_id,
        trace: traceparent.and_then(|header| TraceContext::from_traceparent(&header)),
    })
}
