//! The HTTP endpoints.

pub mod get_stock;
pub mod list_movements;
pub mod move_stock;

/// The scope to read and move stock.
const ADMIN: &str = "admin";
