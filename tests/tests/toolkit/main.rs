//! The shared crate's guarantees, on a real DynamoDB API.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod crashes;
mod http_idempotency;
mod powertools;
mod requests;
mod support;
