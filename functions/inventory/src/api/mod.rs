//! The HTTP endpoints.

pub mod get_stock;
pub mod list_movements;
pub mod move_stock;

use shared::http::contract::Operation;
use shared::scopes::Admin;

/// The system's part of the contract.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![get_stock::operation(), list_movements::operation(), move_stock::operation()]
}
