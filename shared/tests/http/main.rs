//! Events of API Gateway, valid and invalid, and the answers to them.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod conventions;
mod duplicates;
mod events;
mod limits;
mod pages;
mod support;

use serde_json::Value;

/// Answers an event on the [API](support::router).
async fn call(event: Value) -> support::Answer {
    let answer = support::call_on(support::router(), event).await;
    assert_eq!(answer.broken_rule(), None);
    answer
}
