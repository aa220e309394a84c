//! Inventory: stock that is neither oversold nor lost, reserved for a time and let go.

pub mod reservation;
pub mod sku;
pub mod stock;
pub mod store;

pub use reservation::Reservation;
pub use sku::Sku;
pub use store::Inventory;
