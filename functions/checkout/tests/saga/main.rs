//! Orders from placement to end, with and without faults.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod books;
mod carts;
mod cost;
mod crashes;
mod ends;
mod faults;
mod means;
mod model;
mod money_back;
mod races;
mod reconciliation;
mod support;
