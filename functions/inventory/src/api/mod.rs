//! The HTTP endpoints.

pub mod get_stock;
pub mod list_movements;
pub mod move_stock;

/// Lets a user see stock and move it.
const ADMIN: &str = "admin";
