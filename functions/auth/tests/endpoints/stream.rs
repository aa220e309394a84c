//! The stream of the users' table, as it reaches the function: with the filters of the template.

use std::collections::BTreeMap;

use auth::relay::{Relay, SOURCE, stream};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::audit::{Chain, Entry};
use shared::bus::Bus;
use shared::queue::Queue;
use testing::account;

use crate::support::Auth;

pub(crate) type Items = BTreeMap<String, Value>;

/// The users' table, whose changes are given to the function as its stream does.
pub(crate) struct Table<'a> {
    auth: &'a Auth,
    task: Relay,
    events: String,
    pub(crate) before: Items,
    changes: usize,
}

impl<'a> Table<'a> {
    pub(crate) async fn of(auth: &'a Auth) -> Self {
        let dead_letters = account::queue_named(&auth.aws, "audit-dead").await;
        let dead_letters = Queue::new(aws_sdk_sqs::Client::new(&auth.aws), dead_letters);
        let bus = aws_sdk_eventbridge::Client::new(&auth.aws);
        bus.create_event_bus().name("bus").send().await.unwrap();
        let events = account::subscriber(&auth.aws, "bus", SOURCE).await;
        let task = Relay {
            users: auth.users.clone(),
            log: auth.audit_log.clone(),
            bus: Bus::new(bus, "bus".into(), SOURCE),
            clock: auth.clock.clone(),
            stream: stream(dead_letters),
        };
        Self { auth, task, events, before: Items::new(), changes: 0 }
    }

    /// The records of what has changed since the last call.
    pub(crate) async fn records(&mut self) -> Vec<Value> {
        let scan = aws_sdk_dynamodb::Client::new(&self.auth.aws).scan().table_name("auth").send();
        let items = scan.await.unwrap().items.unwrap_or_default();
        let after: Items = items.into_iter().map(stored).collect();
        let before = std::mem::replace(&mut self.before, after.clone());
        let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
        changed
            .map(|key| {
                self.changes += 1;
                record(self.changes, before.get(key), after.get(key))
            })
            .collect()
    }

    /// Gives the records to the function: those that the template's filters let through.
    pub(crate) async fn handle(&self, records: &[Value]) -> shared::Result<()> {
        let filters = filters();
        let passes = |record: &&Value| filters.iter().any(|filter| matches(filter, record));
        let records: Vec<_> = records.iter().filter(passes).collect();
        let batch = serde_json::from_value(json!({ "Records": records })).unwrap();
        self.task.batch(batch, &testing::a_minute()).await
    }

    /// Gives what has changed since the last call to the function.
    pub(crate) async fn streamed(&mut self) {
        let records = self.records().await;
        self.handle(&records).await.unwrap();
    }

    /// The types of the events that others got, oldest first.
    pub(crate) async fn told(&self) -> Vec<String> {
        let events = account::drain(&self.auth.aws, &self.events).await;
        let event = |text: &String| serde_json::from_str::<Value>(text).unwrap();
        events.iter().map(|text| event(text)["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The entries of a chain, oldest first. Checks that it is whole.
    pub(crate) async fn chain(&self, chain: Chain) -> Vec<Entry> {
        let (mut entries, has_more) = self.auth.audit_log.entries(chain, None, 100).await.unwrap();
        assert!(!has_more);
        entries.reverse();
        for (index, pair) in entries.windows(2).enumerate() {
            assert_eq!((pair[1].number, &pair[1].previous), (index as u64 + 2, &pair[0].hash));
        }
        entries
    }
}

fn stored(item: std::collections::HashMap<String, AttributeValue>) -> (String, Value) {
    let item: serde_dynamo::Item = item.into();
    let item = serde_json::to_value(item).unwrap();
    (format!("{} {}", item["pk"]["S"], item["sk"]["S"]), item)
}

pub(crate) fn record(number: usize, old: Option<&Value>, new: Option<&Value>) -> Value {
    let kind = match (old, new) {
        (None, _) => "INSERT",
        (_, None) => "REMOVE",
        _ => "MODIFY",
    };
    let item = old.or(new).unwrap();
    let mut images = json!({
        "Keys": {"pk": item["pk"], "sk": item["sk"]}, "SequenceNumber": number.to_string(),
    });
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if let Some(image) = image {
            images[name] = image.clone();
        }
    }
    json!({"eventID": format!("event-{number}"), "eventName": kind, "dynamodb": images})
}

/// The patterns of the filters that the template sets for the stream.
fn filters() -> Vec<Value> {
    let template = include_str!("../../template.yaml");
    let patterns = template.lines().filter_map(|line| line.trim().strip_prefix("- Pattern: '"));
    let patterns = patterns.map(|rest| serde_json::from_str(rest.trim_end_matches('\'')).unwrap());
    patterns.collect()
}

/// Whether a pattern lets a value through, by the rules that the template uses: a list has the values that are let through,
/// `prefix` and `exists`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>
fn matches(pattern: &Value, value: &Value) -> bool {
    match pattern {
        Value::Object(members) => {
            members.iter().all(|(name, pattern)| matches(pattern, &value[name.as_str()]))
        }
        Value::Array(rules) => rules.iter().any(|rule| match (&rule["prefix"], &rule["exists"]) {
            (Value::String(prefix), _) => value.as_str().is_some_and(|it| it.starts_with(prefix)),
            (_, Value::Bool(exists)) => *exists != value.is_null(),
            _ => rule == value,
        }),
        _ => panic!("a pattern of another kind: {pattern}"),
    }
}
