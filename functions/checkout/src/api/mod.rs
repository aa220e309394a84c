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
pub mod patch_product;
pub mod pay_order;
mod paying;
pub mod place_order;
mod product_fields;
pub mod put_endpoint;
pub mod put_product;
pub mod refund_order;
pub mod remove_from_cart;
pub mod resend_delivery;
pub mod rotate_secret;
pub mod set_in_cart;
mod view;

use shared::http::contract::{self, Operation};
use shared::scopes::{ADMIN, Admin, OrdersRead as Read, OrdersWrite as Write};

pub use view::View;

use crate::deliver_webhook::KINDS;

/// What can be done with an order that was placed.
const OF_ORDER: [&str; 5] = [
    "checkout-get-order",
    "checkout-pay-order",
    "checkout-cancel-order",
    "checkout-get-receipt",
    "checkout-refund-order",
];

/// The endpoints' part of the contract.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        add_to_cart::operation(),
        cancel_order::operation(),
        delete_endpoint::operation(),
        get_cart::operation(),
        get_ledger::operation(),
        get_order::operation(),
        get_order_ledger::operation(),
        get_product::operation(),
        get_receipt::operation(),
        list_deliveries::operation(),
        list_endpoints::operation(),
        list_orders::operation(),
        list_products::operation(),
        list_stuck::operation(),
        on_provider_event::operation(),
        patch_product::operation(),
        pay_order::operation(),
        place_order::operation(),
        put_endpoint::operation(),
        put_product::operation(),
        refund_order::operation(),
        remove_from_cart::operation(),
        resend_delivery::operation(),
        rotate_secret::operation(),
        set_in_cart::operation(),
    ]
}

/// The webhooks that a merchant receives.
#[must_use]
pub fn webhooks() -> Vec<Operation> {
    KINDS.map(|(kind, summary)| contract::webhook::<View>("checkout", kind, summary)).into()
}
