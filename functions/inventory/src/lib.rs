//! Inventory: stock that is neither oversold nor lost.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `inventory-move-stock` | `POST /v1/stock/{sku}/movements`: stock comes, or was counted anew | [`api::move_stock`] |
//! | `inventory-list-movements` | `GET /v1/stock/{sku}/movements` | [`api::list_movements`] |
//! | `inventory-get-stock` | `GET /v1/stock/{sku}` | [`api::get_stock`] |
//! | `inventory-sweep` | each minute: releases what was reserved for a time that is over | [`sweep`] |
//!
//! Other systems use it as a library. [`Inventory`] finds stock ([`Inventory::plan`]) and gives the
//! writes that reserve, commit, consume and release it; they put them in a transaction of their own, so
//! that an order and its stock change together or not at all. A transaction takes no two writes to one
//! item: whoever wants a product twice wants the sum of it.
//!
//! The rules are in [`stock`], [`reservation`] and [`movement`], keys and conditions of the table in
//! [`store`].

pub mod api;
pub mod movement;
pub mod reservation;
pub mod sku;
pub mod stock;
pub mod store;
pub mod sweep;
pub mod system;

pub use reservation::Reservation;
pub use sku::Sku;
pub use store::Inventory;
