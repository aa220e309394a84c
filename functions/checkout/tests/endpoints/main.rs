//! The endpoints and the small tasks, called with the sample events.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod cart;
mod catalogue;
mod conflicts;
mod deliveries;
mod ledger;
mod merchants;
mod orders;
mod placing;
mod provider_events;
mod refunds;
mod support;
mod tasks;
mod versions;
