//! Messages that are handled together.

use std::sync::Mutex;

use serde_json::{Value, json};
use shared::batch::{Failure, Message};

use crate::batches::{Queues, a_minute};

/// Consumes messages with these bodies together, with a handler that ends as `ended` says. Gives the
/// response, and what the handler got.
async fn together(
    q: &Queues,
    event: Value,
    ended: impl Fn() -> Result<(), Failure>,
) -> (Vec<Value>, Vec<String>) {
    let bodies = Mutex::new(Vec::new());
    let handler = async |messages: Vec<Message<String>>| {
        bodies.lock().unwrap().extend(messages.into_iter().map(|message| message.body));
        ended()
    };
    let event = serde_json::from_value(event).unwrap();
    let answer = q.consumer().consume_together(event, &a_minute(), handler).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    let mut bodies = bodies.into_inner().unwrap();
    bodies.sort();
    (answer["batchItemFailures"].as_array().unwrap().clone(), bodies)
}

#[tokio::test]
async fn messages_are_handled_once_together() {
    let q = Queues::new(false).await;
    let event = q.event(&[r#""1""#, r#""2""#, r#""3""#]).await;
    assert_eq!(
        together(&q, event, || Ok(())).await,
        (vec![], vec!["1".into(), "2".into(), "3".into()])
    );
    let none = together(&q, json!({"Records": []}), || panic!("there is no message")).await;
    assert_eq!(none, (vec![], vec![]));
}

#[tokio::test]
async fn they_fail_together_and_are_delivered_again() {
    let q = Queues::new(false).await;
    let event = q.event(&[r#""1""#, r#""2""#]).await;
    let retry = || Err(Failure::retry_after("busy", std::time::Duration::ZERO));
    let (failed, _) = together(&q, event, retry).await;
    assert_eq!(failed.len(), 2);
    // They are visible again at once.
    let mut again = Vec::new();
    while again.len() < 2 {
        again.extend(q.receive(q.url()).await);
    }
    let panics = || panic!("a fault of the handler");
    let (failed, _) = together(&q, json!({ "Records": again }), panics).await;
    assert_eq!(failed.len(), 2);
}

#[tokio::test]
async fn a_message_that_cannot_be_parsed_fails_alone() {
    for is_fifo in [false, true] {
        let q = Queues::new(is_fifo).await;
        // In the FIFO queue they are one group.
        let event = q.event(&[r#""1a""#, "1", r#""1b""#]).await;
        let (failed, bodies) = together(&q, event, || Ok(())).await;
        assert_eq!((failed.len(), bodies), (0, vec!["1a".to_owned(), "1b".to_owned()]));
        assert_eq!(q.receive(&q.dead_letters).await[0]["body"], "1");
    }
}

#[tokio::test]
async fn messages_that_can_never_be_handled_go_to_the_dead_letters() {
    let q = Queues::new(false).await;
    let event = q.event(&[r#""1""#, r#""2""#]).await;
    let (failed, _) = together(&q, event, || Err(Failure::permanent("no"))).await;
    assert!(failed.is_empty());
    let mut dead = Vec::new();
    while dead.len() < 2 {
        dead.extend(q.receive(&q.dead_letters).await);
    }
}
