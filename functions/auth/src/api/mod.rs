//! The HTTP endpoints.

pub mod login;
pub mod register;

use shared::http::contract::Operation;

/// The system's part of the contract.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![login::operation(), register::operation()]
}
