//! The pipeline on real DynamoDB, S3 and SQS APIs and a real clamd: duplicates, races, crashes,
//! outages, and what becomes of a document that is cancelled or deleted at any time.

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
