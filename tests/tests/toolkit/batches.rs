//! Batches, with a real SQS.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde_json::{Value, json};
use shared::backoff::Backoff;
use shared::batch::{Consumer, Failure, Message};
use shared::fault::{Fault, Run, walk};
use shared::invocation::{self, Invocation};
use shared::problem::Problem;
use shared::queue::Queue;
use testing::account;
use tokio::sync::Barrier;

/// An invocation with `left` until its deadline.
fn invocation(left: Duration) -> Invocation {
    let mut context = lambda_runtime::Context::default();
    context.request_id = "req-1".into();
    let deadline = jiff::Timestamp::now() + left;
    context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
    Invocation::of(&context, None)
}

pub(crate) fn a_minute() -> Invocation {
    invocation(Duration::from_mins(1))
}

pub(crate) struct Queues {
    pub(crate) client: Client,
    url: String,
    pub(crate) dead_letters: String,
    is_fifo: bool,
}

impl Queues {
    pub(crate) async fn new(is_fifo: bool) -> Self {
        let aws: SdkConfig = account::empty().await;
        let client = Client::new(&aws);
        let (mut urls, suffix) = (Vec::new(), if is_fifo { ".fifo" } else { "" });
        for name in ["jobs", "dead"] {
            let mut create = client.create_queue().queue_name(format!("{name}{suffix}"));
            if is_fifo {
                create = create.attributes(QueueAttributeName::FifoQueue, "true");
            }
            urls.push(create.send().await.unwrap().queue_url.unwrap());
        }
        let dead_letters = urls.pop().unwrap();
        Self { client, url: urls.pop().unwrap(), dead_letters, is_fifo }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn consumer(&self) -> Consumer {
        Consumer::new(Queue::new(self.client.clone(), self.url.clone()))
            .dead_letters(Queue::new(self.client.clone(), self.dead_letters.clone()))
    }

    /// Sends messages with these bodies, in a FIFO queue each in the group of its first letter, and
    /// receives them as Lambda does. Gives the event.
    pub(crate) async fn event(&self, bodies: &[&str]) -> Value {
        for (index, body) in bodies.iter().enumerate() {
            let mut send = self.client.send_message().queue_url(&self.url).message_body(*body);
            if self.is_fifo {
                let group = body.trim_matches('"').chars().next().unwrap_or('x').to_string();
                send = send.message_group_id(group).message_deduplication_id(index.to_string());
            }
            send.send().await.unwrap();
        }
        let mut records = self.receive(&self.url).await;
        while records.len() < bodies.len() {
            records.extend(self.receive(&self.url).await);
        }
        json!({ "Records": records })
    }

    pub(crate) async fn receive(&self, url: &str) -> Vec<Value> {
        let received = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .visibility_timeout(600)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .unwrap();
        let record = |message: aws_sdk_sqs::types::Message| {
            let attributes: serde_json::Map<_, _> = message
                .attributes
                .unwrap_or_default()
                .into_iter()
                .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
                .collect();
            let message_attributes: serde_json::Map<_, _> = message
                .message_attributes
                .unwrap_or_default()
                .into_iter()
                .map(|(name, value)| {
                    (name, json!({"dataType": value.data_type, "stringValue": value.string_value}))
                })
                .collect();
            let suffix = if self.is_fifo { ".fifo" } else { "" };
            json!({
                "messageId": message.message_id, "receiptHandle": message.receipt_handle,
                "body": message.body, "attributes": attributes,
                "messageAttributes": message_attributes,
                "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:jobs{suffix}"),
            })
        };
        received.messages.unwrap_or_default().into_iter().map(record).collect()
    }

    /// Deletes the messages that Lambda deletes: all but the failures.
    async fn conclude(&self, event: &Value, answer: &Value) {
        let failed = failures(answer);
        for record in event["Records"].as_array().unwrap() {
            if !failed.contains(&record["messageId"].as_str().unwrap().to_owned()) {
                let delete = self.client.delete_message().queue_url(&self.url);
                delete
                    .receipt_handle(record["receiptHandle"].as_str().unwrap())
                    .send()
                    .await
                    .unwrap();
            }
        }
    }
}

fn failures(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array().unwrap().iter();
    let ids = failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned());
    ids.collect()
}

/// The bodies of the failures, sorted.
fn failed_bodies(event: &Value, answer: &Value) -> Vec<String> {
    let failed = failures(answer);
    let records = event["Records"].as_array().unwrap().iter();
    let mut bodies: Vec<_> = records
        .filter(|record| failed.contains(&record["messageId"].as_str().unwrap().to_owned()))
        .map(|record| record["body"].as_str().unwrap().to_owned())
        .collect();
    bodies.sort();
    bodies
}

pub(crate) async fn handle(message: Message<String>) -> Result<(), Failure> {
    match &message.body[1..] {
        "fails" => Err(shared::Error::internal("a failure to retry").into()),
        "never" => Err(Failure::permanent("it never will")),
        "problem" => Err(Problem::not_found("document").into()),
        "panics" => panic!("a panic of the handler"),
        "later" => Err(Failure::retry_after("retry after 77 s", Duration::from_secs(77))),
        _ => Ok(()),
    }
}

async fn consume(consumer: &Consumer, event: &Value, invocation: &Invocation) -> Value {
    let event = serde_json::from_value(event.clone()).unwrap();
    serde_json::to_value(consumer.consume(event, invocation, handle).await.unwrap()).unwrap()
}

#[tokio::test]
async fn each_message_fails_alone() {
    let q = Queues::new(false).await;
    let bodies = [
        "\"1ok\"",
        "\"2fails\"",
        "not json",
        "\"3never\"",
        "\"4problem\"",
        "\"5panics\"",
        "\"6ok\"",
    ];
    let event = q.event(&bodies).await;
    let answer = consume(&q.consumer(), &event, &a_minute()).await;
    assert_eq!(failed_bodies(&event, &answer), ["\"2fails\"", "\"5panics\""]);

    // Permanent failures are in the dead-letter queue, unchanged, with the reason.
    let mut dead = Vec::new();
    while dead.len() < 3 {
        dead.extend(q.receive(&q.dead_letters).await);
    }
    dead.sort_by_key(|message| message["body"].to_string());
    let reasons: Vec<_> = dead
        .iter()
        .map(|message| {
            let reason = &message["messageAttributes"]["failure_reason"]["stringValue"];
            (message["body"].as_str().unwrap(), reason.as_str().unwrap())
        })
        .collect();
    assert_eq!(reasons[0], ("\"3never\"", "it never will"));
    assert!(reasons[1].1.contains("not-found"), "{reasons:?}");
    assert_eq!(
        (reasons[2].0, reasons[2].1.contains("expected")),
        ("not json", true),
        "{reasons:?}"
    );
    let ids: Vec<_> =
        event["Records"].as_array().unwrap().iter().map(|record| &record["messageId"]).collect();
    assert!(ids.contains(&&dead[0]["messageAttributes"]["failed_message_id"]["stringValue"]));
}

#[tokio::test]
async fn without_a_dead_letter_queue_permanent_failures_are_retried() {
    let q = Queues::new(false).await;
    let event = q.event(&["\"3never\"", "not json"]).await;
    let consumer = Consumer::new(Queue::new(q.client.clone(), q.url.clone()));
    assert_eq!(failures(&consume(&consumer, &event, &a_minute()).await).len(), 2);
    // The same if the dead-letter queue cannot be reached.
    let consumer = consumer.dead_letters(Queue::new(q.client.clone(), format!("{}-gone", q.url)));
    assert_eq!(failures(&consume(&consumer, &event, &a_minute()).await).len(), 2);
}

#[tokio::test]
async fn a_failed_message_is_delivered_again_after_its_wait() {
    let q = Queues::new(false).await;
    let event = q.event(&["\"1fails\"", "\"2later\"", "\"3ok\""]).await;
    let at_once = Backoff::new(Duration::ZERO, Duration::ZERO);
    let answer = consume(&q.consumer().backoff(at_once), &event, &a_minute()).await;
    q.conclude(&event, &answer).await;
    // The visibility time-out of the receive is 10 minutes; the second message waits for 77 s.
    let again = q.receive(&q.url).await;
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(again[0]["body"], "\"1fails\"");
    assert_eq!(again[0]["attributes"]["ApproximateReceiveCount"], "2");

    let attributes = q.client.get_queue_attributes().queue_url(&q.url);
    let attributes = attributes.attribute_names(QueueAttributeName::All).send().await.unwrap();
    let out = &attributes.attributes().unwrap()
        [&QueueAttributeName::ApproximateNumberOfMessagesNotVisible];
    assert_eq!(out, "2");
}

#[tokio::test]
async fn a_fifo_group_stops_at_its_first_failure_and_the_others_continue() {
    let q = Queues::new(true).await;
    let event = q
        .event(&[
            "\"a1\"",
            "\"bfails\"",
            "\"a2\"",
            "\"b2\"",
            "\"cpanics\"",
            "\"b3\"",
            "\"c2\"",
            "\"dnever\"",
            "\"d2\"",
        ])
        .await;
    let handled = Mutex::new(Vec::new());
    let parsed = serde_json::from_value(event.clone()).unwrap();
    let consumer = q.consumer().concurrency(3);
    let invocation = a_minute();
    let consuming = consumer.consume(parsed, &invocation, |message: Message<String>| {
        handled.lock().unwrap().push(message.body.clone());
        assert_eq!(message.group.as_deref(), message.body.get(..1));
        handle(message)
    });
    let answer = serde_json::to_value(consuming.await.unwrap()).unwrap();
    let failed = ["\"b2\"", "\"b3\"", "\"bfails\"", "\"c2\"", "\"cpanics\""];
    assert_eq!(failed_bodies(&event, &answer), failed);
    let handled = handled.into_inner().unwrap();
    let of = |group: &str| -> Vec<_> {
        handled.iter().filter(|body| body.starts_with(group)).map(String::as_str).collect()
    };
    assert_eq!((of("a"), of("b"), of("c")), (vec!["a1", "a2"], vec!["bfails"], vec!["cpanics"]));
    // A message in the dead-letter queue does not stop its group.
    assert_eq!(of("d"), ["dnever", "d2"]);
    let dead = q.receive(&q.dead_letters).await;
    assert_eq!((dead.len(), &dead[0]["attributes"]["MessageGroupId"]), (1, &json!("d")));
}

#[tokio::test]
async fn the_concurrency_limit_is_reached_and_not_exceeded() {
    let q = Queues::new(false).await;
    let event = q.event(&["1", "2", "3", "4", "5", "6"]).await;
    let (now, most, together) = (AtomicUsize::new(0), AtomicUsize::new(0), Barrier::new(3));
    let invocation = a_minute();
    let consumer = q.consumer().concurrency(3);
    let parsed = serde_json::from_value(event).unwrap();
    let consuming = consumer.consume(parsed, &invocation, async |_: Message<u32>| {
        most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
        together.wait().await; // returns only if three handlers wait at once
        now.fetch_sub(1, SeqCst);
        Ok(())
    });
    assert!(consuming.await.unwrap().batch_item_failures.is_empty());
    assert_eq!(most.load(SeqCst), 3);
}

#[tokio::test]
async fn messages_that_cannot_start_before_the_deadline_are_returned() {
    let q = Queues::new(false).await;
    let event = q.event(&["\"1ok\"", "\"2ok\""]).await;
    let soon = invocation(Duration::from_millis(900));
    let answer = consume(&q.consumer(), &event, &soon).await;
    assert_eq!(failures(&answer).len(), 2);
    // They are delivered again at once.
    let again = q.receive(&q.url).await;
    assert_eq!(again.len(), 2);

    // With a time limit of 10 s, 10 s until the deadline are too few and 12 s are enough.
    let event = json!({ "Records": again });
    let patient = q.consumer().time_limit(Duration::from_secs(10));
    let answer = consume(&patient, &event, &invocation(Duration::from_secs(10))).await;
    assert_eq!(failures(&answer).len(), 2);
    let answer = consume(&patient, &event, &invocation(Duration::from_secs(12))).await;
    assert!(failures(&answer).is_empty());
}

#[tokio::test]
async fn a_message_that_hangs_fails_alone() {
    let q = Queues::new(false).await;
    let event = q.event(&["1", "0", "2"]).await;
    let consumer = q.consumer().time_limit(Duration::from_millis(200));
    let invocation = a_minute();
    let parsed = serde_json::from_value(event.clone()).unwrap();
    let consuming = consumer.consume(parsed, &invocation, async |message: Message<u32>| {
        if message.body == 0 {
            std::future::pending::<()>().await;
        }
        Ok(())
    });
    let answer = serde_json::to_value(consuming.await.unwrap()).unwrap();
    assert_eq!(failed_bodies(&event, &answer), ["0"]);
}

#[tokio::test]
async fn a_panic_before_the_first_await_fails_that_message_alone() {
    let q = Queues::new(false).await;
    let event = q.event(&["\"1ok\"", "\"2panics\"", "\"3ok\""]).await;
    let invocation = a_minute();
    let consumer = q.consumer();
    let parsed = serde_json::from_value(event.clone()).unwrap();
    let consuming = consumer.consume(parsed, &invocation, |message: Message<String>| {
        assert_ne!(message.body, "2panics");
        std::future::ready(Ok(()))
    });
    let answer = serde_json::to_value(consuming.await.unwrap()).unwrap();
    assert_eq!(failed_bodies(&event, &answer), ["\"2panics\""]);
}

#[tokio::test]
async fn the_response_is_in_time_if_sqs_hangs() {
    let server = wiremock::MockServer::start().await;
    let never = wiremock::ResponseTemplate::new(200).set_delay(Duration::from_hours(1));
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(never).mount(&server).await;
    let aws = account::empty().await;
    let config = aws_sdk_sqs::config::Builder::from(&aws).endpoint_url(server.uri());
    let hangs = Queue::new(Client::from_conf(config.build()), format!("{}/jobs", server.uri()));
    let consumer = Consumer::new(hangs.clone()).dead_letters(hangs);

    let record = |id: &str, body: &str| json!({"messageId": id, "receiptHandle": id, "body": body, "attributes": {}, "messageAttributes": {}});
    let records = [record("1", "\"1ok\""), record("2", "\"2fails\""), record("3", "\"3never\"")];
    let invocation = invocation(Duration::from_secs(2));
    let answer = consume(&consumer, &json!({ "Records": records }), &invocation).await;
    assert_eq!(failures(&answer), ["2", "3"]);
    assert!(invocation.remaining() > Duration::ZERO);
}

#[tokio::test]
async fn a_message_continues_the_trace_of_its_sender() {
    let q = Queues::new(false).await;
    let sender = a_minute();
    let sender = sender.caused_by(Some("api-request-7".into()), None);
    let queue = Queue::new(q.client.clone(), q.url.clone());
    Box::pin(sender.clone().scope(queue.send(&json!("1ok")))).await.unwrap();
    let records = q.receive(&q.url).await;
    let event: Value = json!({ "Records": records });
    let receiver = a_minute();
    let parsed = serde_json::from_value(event).unwrap();
    let consumer = q.consumer();
    let consuming = consumer.consume(parsed, &receiver, async |_: Message<String>| {
        let current = invocation::current().unwrap();
        assert_eq!(current.correlation_id, "api-request-7");
        assert_eq!(current.function_request_id, "req-1");
        assert_eq!(current.trace.trace_id(), sender.trace.trace_id());
        assert_eq!(current.parent, Some(sender.trace));
        assert_ne!(current.trace.traceparent(), sender.trace.traceparent());
        Ok(())
    });
    assert!(consuming.await.unwrap().batch_item_failures.is_empty());
}

#[tokio::test]
async fn no_message_is_lost_whatever_happens() {
    let points = walk(async |run: Run| {
        let q = Queues::new(false).await;
        let event = q.event(&["\"1ok\"", "\"2fails\"", "\"3never\""]).await;
        let consumer = q.consumer().backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
        let invocation = a_minute();
        let first = run.attempt(consume(&consumer, &event, &invocation)).await;
        if let Some(answer) = first.resume().await {
            q.conclude(&event, &answer).await;
        } else {
            // The invocation died: SQS delivers all messages again.
            let entries = event["Records"].as_array().unwrap();
            for record in entries {
                let again = q.client.change_message_visibility().queue_url(&q.url);
                let handle = record["receiptHandle"].as_str().unwrap();
                again.receipt_handle(handle).visibility_timeout(0).send().await.unwrap();
            }
            let event = json!({ "Records": q.receive(&q.url).await });
            let answer = consume(&consumer, &event, &invocation).await;
            q.conclude(&event, &answer).await;
        }
        let dead = q.receive(&q.dead_letters).await;
        assert!((1..=2).contains(&dead.len()), "{dead:?}");
        assert!(dead.iter().all(|message| message["body"] == "\"3never\""));
        let attributes = q.client.get_queue_attributes().queue_url(&q.url);
        let attributes = attributes.attribute_names(QueueAttributeName::All).send().await.unwrap();
        let count = |name| -> usize { attributes.attributes().unwrap()[&name].parse().unwrap() };
        let left = count(QueueAttributeName::ApproximateNumberOfMessages)
            + count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
        // "2fails" is left for a retry. After `LoseAnswer`, the consumer does not know whether "3never"
        // is in the dead-letter queue, so "3never" may be left too.
        let kept = 1 + usize::from(
            matches!(run.fault(), Some(Fault::LoseAnswer)) && dead.len() == 1 && left == 2,
        );
        assert_eq!(left, kept);
    })
    .await;
    assert_eq!(points, ["queue.forward", "batch.put_back"]);
}
