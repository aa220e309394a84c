//! The pipeline with real DynamoDB, S3 and SQS APIs and a real clamd: duplicates, races, crashes, outages,
//! and cancellation or deletion at any time.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod attempts;
mod budgets;
mod crashes;
mod deletion;
mod extraction;
mod progress;
mod scanning;
mod slow_store;
mod support;
mod uploads;
mod webhooks;
