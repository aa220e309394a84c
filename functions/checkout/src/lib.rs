//! Checkout: from a cart to a paid order and a balanced ledger, exactly once.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `checkout-put-product`, `checkout-patch-product`, `checkout-get-product`, `checkout-list-products` | the catalogue | [`product`], [`api`] |
//! | `checkout-get-cart`, `checkout-add-to-cart`, `checkout-set-in-cart`, `checkout-remove-from-cart` | a customer's cart | [`cart`], [`api`] |
//! | `checkout-place-order` | `POST /v1/checkouts`: answer, event, stock and cart in one transaction | [`api::place_order`] |
//! | `checkout-advance` | advances an order until no step is left | [`advance`], [`saga`] |
//! | `checkout-relay` | reads the table's stream: passes events and ledger entries on to the queues and the bus | [`relay`], [`public`] |
//! | `checkout-sweep` | each minute: queues orders that make no progress | [`sweep`] |
//! | `checkout-reconcile` | each hour: compares the ledger with the provider's records | [`reconcile`] |
//! | `checkout-on-provider-event` | receives the payment provider's webhooks | [`api::on_provider_event`], [`payments::webhook`] |
//! | `checkout-get-order`, `checkout-get-receipt`, `checkout-list-orders`, `checkout-pay-order`, `checkout-cancel-order`, `checkout-refund-order` | `/v1/orders` | [`api`] |
//! | `checkout-fold-ledger` | adds ledger entries to the balances | [`fold_ledger`] |
//! | `checkout-get-ledger`, `checkout-get-order-ledger`, `checkout-list-stuck` | monitoring for the shop | [`api`] |
//! | `checkout-put-endpoint`, `checkout-list-endpoints`, `checkout-delete-endpoint`, `checkout-list-deliveries`, `checkout-resend-delivery`, `checkout-rotate-secret`, `checkout-deliver-webhook` | webhooks for merchants | [`merchant`], [`deliver_webhook`] |
//!
//! The rules of an order are in [`order`], the sequence of steps in [`saga`], the rules for money in
//! [`ledger`], [`money`] and [`charges`], the keys and conditions of the table in [`store`].
//! [`payments`] is a client of Stripe's API. The crate [`inventory`] manages stock.

pub mod advance;
pub mod api;
pub mod cart;
pub mod charges;
pub mod deliver_webhook;
pub mod fold_ledger;
pub mod ledger;
pub mod merchant;
pub mod money;
pub mod order;
pub mod payments;
pub mod product;
pub mod public;
pub mod queues;
pub mod reconcile;
pub mod relay;
pub mod saga;
pub mod store;
pub mod sweep;
pub mod system;
