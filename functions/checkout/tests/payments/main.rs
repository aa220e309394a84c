//! The adapter to the payment provider.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod answers;
mod provider;

use std::time::Duration;

use checkout::money::Money;
use checkout::payments::Stripe;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::id::{self, Id, Ids};

/// The time limit of an impatient adapter, and the delay of a fault.
const LIMIT: Duration = Duration::from_millis(500);
const TOO_LONG: Duration = Duration::from_secs(2);

fn id<K: id::Kind>() -> Id<K> {
    Ids::random(Clock::System).next()
}

fn eur(amount: u64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

fn stripe_at(url: &str, key: &str) -> Stripe {
    Stripe::within(LIMIT, url.to_owned(), key.to_owned().into()).unwrap()
}

/// The body of the provider's error response.
fn error(fields: &Value) -> Value {
    json!({"error": fields})
}
