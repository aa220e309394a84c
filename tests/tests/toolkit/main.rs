//! The shared crate's guarantees, on a real DynamoDB API.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod audit;
mod batches;
mod bus;
mod conflicts;
mod connections;
mod crashes;
mod http_idempotency;
mod powertools;
mod rate_limits;
mod relay;
mod requests;
mod streams;
mod support;
mod tables;
mod together;
mod webhooks;
