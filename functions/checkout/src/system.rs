//! The shared dependencies of checkout's Lambdas, and the environment variables that they read.

use axum::extract::FromRef;
use inventory::Inventory;
use secrecy::SecretString;
use shared::Result;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::idempotency::Records;
use shared::program::Environment;
use shared::queue::Queue;
use shared::rate_limit::RateLimiter;

use crate::payments::Stripe;
use crate::store::Store;

/// The dependencies of checkout's endpoints.
#[derive(Clone, Debug)]
pub struct System {
    /// The checkout's table.
    pub store: Store,
    /// The inventory.
    pub inventory: Inventory,
    /// Idempotency records.
    pub records: Records,
    /// Rate limits.
    pub limiter: RateLimiter,
    /// The clock.
    pub clock: Clock,
    /// Generates ids.
    pub ids: Ids,
}

impl System {
    /// Creates it from the function's environment.
    pub fn load(environment: &Environment) -> Result<Self> {
        Ok(Self {
            store: store(environment)?,
            inventory: inventory(environment)?,
            records: environment.records()?,
            limiter: environment.limiter()?,
            clock: environment.clock.clone(),
            ids: environment.ids(),
        })
    }
}

impl FromRef<System> for Clock {
    fn from_ref(system: &System) -> Self {
        system.clock.clone()
    }
}

/// The checkout's table.
pub fn store(environment: &Environment) -> Result<Store> {
    Ok(Store::new(environment.dynamodb.clone(), var("CHECKOUT_TABLE")?))
}

/// The inventory.
pub fn inventory(environment: &Environment) -> Result<Inventory> {
    Ok(Inventory::new(environment.dynamodb.clone(), var("INVENTORY_TABLE")?))
}

/// The queue of orders to advance.
pub fn orders(environment: &Environment) -> Result<Queue> {
    environment.queue("ORDERS_QUEUE_URL")
}

/// The queue of ledger entries to add to the balances.
pub fn ledger(environment: &Environment) -> Result<Queue> {
    environment.queue("LEDGER_QUEUE_URL")
}

/// The queue of webhooks to merchants.
pub fn webhooks(environment: &Environment) -> Result<Queue> {
    environment.queue("WEBHOOKS_QUEUE_URL")
}

/// The payment provider's client, with the current API key.
pub async fn payments(environment: &Environment) -> Result<Stripe> {
    let key = environment.secret("PAYMENTS_KEY_SECRET").await?;
    Stripe::new(var("PAYMENTS_URL")?, key)
}

/// The secret with which the payment provider signs its webhooks.
pub async fn webhook_secret(environment: &Environment) -> Result<SecretString> {
    environment.secret("PAYMENTS_WEBHOOK_SECRET").await
}
