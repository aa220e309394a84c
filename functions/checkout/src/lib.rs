//! Checkout: from a cart to a paid order and a balanced ledger, exactly once.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `checkout-put-product`, `checkout-get-product`, `checkout-list-products` | the catalogue | [`product`], [`api`] |
//! | `checkout-get-cart`, `checkout-add-to-cart`, `checkout-set-in-cart`, `checkout-remove-from-cart` | a customer's cart | [`cart`], [`api`] |
//! | `checkout-place-order` | `POST /v1/checkouts`: answer, event, stock and cart in one transaction | [`api::place_order`] |
//! | `checkout-advance` | takes an order as far as it goes | [`advance`], [`saga`] |
//! | `checkout-relay` | the table's stream: events go to the queues | [`relay`] |
//! | `checkout-sweep` | each minute: looks after orders that stand still | [`sweep`] |
//! | `checkout-reconcile` | each hour: compares our books with the provider's | [`reconcile`] |
//! | `checkout-on-provider-event` | the payment provider tells that something has changed | [`api::on_provider_event`], [`payments::webhook`] |
//! | `checkout-get-order`, `checkout-list-orders`, `checkout-pay-order`, `checkout-cancel-order`, `checkout-refund-order` | `/v1/orders` | [`api`] |
//! | `checkout-fold-ledger` | the table's stream: entries go into the balances | [`fold_ledger`] |
//! | `checkout-get-ledger`, `checkout-get-order-ledger`, `checkout-list-stuck` | what the shop keeps an eye on | [`api`] |
//! | `checkout-put-endpoint`, `checkout-list-endpoints`, `checkout-delete-endpoint`, `checkout-list-deliveries`, `checkout-resend-delivery`, `checkout-rotate-secret`, `checkout-deliver-webhook` | telling merchants | [`merchant`], [`deliver_webhook`] |
//!
//! The rules are in [`order`], what happens when in [`saga`], what money does in [`ledger`],
//! [`money`] and [`charges`],
//! keys and conditions of the table in [`store`]. [`payments`] speaks Stripe's API. Stock is the
//! [`inventory`]'s.

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
pub mod queues;
pub mod reconcile;
pub mod relay;
pub mod saga;
pub mod store;
pub mod sweep;
pub mod system;
