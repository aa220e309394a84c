//! Checkout: from a cart to a paid order and a balanced ledger, exactly once.

pub mod api;
pub mod cart;
pub mod deliver_webhook;
pub mod fold_ledger;
pub mod ledger;
pub mod merchant;
pub mod money;
pub mod order;
pub mod payments;
pub mod product;
pub mod queues;
pub mod relay;
pub mod saga;
pub mod store;
pub mod sweep;
