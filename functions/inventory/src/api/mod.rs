//! The HTTP endpoints.

pub mod get_stock;
pub mod list_movements;
pub mod move_stock;

use shared::scopes::ADMIN;
