//! The HTTP endpoints.

pub mod add_to_cart;
pub mod cancel_order;
mod changes;
pub mod delete_endpoint;
pub mod get_cart;
pub mod get_ledger;
pub mod get_order;
pub mod get_order_ledger;
pub mod get_product;
pub mod get_receipt;
pub mod list_deliveries;
pub mod list_endpoints;
pub mod list_orders;
pub mod list_products;
pub mod list_stuck;
pub mod on_provider_event;
pub mod pay_order;
mod paying;
pub mod place_order;
pub mod put_endpoint;
pub mod put_product;
pub mod refund_order;
pub mod remove_from_cart;
pub mod resend_delivery;
pub mod rotate_secret;
pub mod set_in_cart;
mod view;

use shared::scopes::{ADMIN, ORDERS_READ as READ, ORDERS_WRITE as WRITE};

pub use view::View;
