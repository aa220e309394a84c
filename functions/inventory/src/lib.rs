//! Inventory: stock that is neither oversold nor lost.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `inventory-move-stock` | `POST /v1/stock/{sku}/movements`: adds, removes or corrects stock | [`api::move_stock`] |
//! | `inventory-list-movements` | `GET /v1/stock/{sku}/movements` | [`api::list_movements`] |
//! | `inventory-get-stock` | `GET /v1/stock/{sku}` | [`api::get_stock`] |
//! | `inventory-sweep` | each minute: releases expired reservations | [`sweep`] |
//!
//! Other systems use this crate as a library. [`Inventory`] plans reservations ([`Inventory::plan`]) and
//! returns the writes that reserve, commit, consume and release stock. The caller puts the writes into its
//! own transaction, so that an order and its stock change together or not at all. A transaction accepts only
//! one write for each item, so the caller must reserve the sum if an order has a product twice.
//!
//! The rules are in [`stock`], [`reservation`] and [`movement`], the keys and conditions of the table in
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
