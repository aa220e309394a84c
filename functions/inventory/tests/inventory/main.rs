//! Tests of the inventory on a real DynamoDB API: races, crashes, and random histories compared with a model.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod audit;
mod crashes;
mod endpoints;
mod histories;
mod races;
mod reservations;
mod support;
mod sweeping;
