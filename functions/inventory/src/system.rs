//! The shared dependencies of inventory's Lambdas, and the environment variables that they read.

use axum::extract::FromRef;
use shared::Result;
use shared::clock::Clock;
use shared::config::var;
use shared::idempotency::Records;
use shared::program::Environment;

use crate::Inventory;

/// The dependencies of inventory's endpoints.
#[derive(Clone, Debug)]
pub struct System {
    /// The inventory's table.
    pub inventory: Inventory,
    /// Idempotency records.
    pub records: Records,
    /// The clock.
    pub clock: Clock,
}

impl System {
    /// Creates it from the function's environment.
    pub fn load(environment: &Environment) -> Result<Self> {
        Ok(Self {
            inventory: inventory(environment)?,
            records: environment.records()?,
            clock: environment.clock.clone(),
        })
    }
}

impl FromRef<System> for Clock {
    fn from_ref(system: &System) -> Self {
        system.clock.clone()
    }
}

/// The inventory's table.
pub fn inventory(environment: &Environment) -> Result<Inventory> {
    Ok(Inventory::new(environment.dynamodb.clone(), var("INVENTORY_TABLE")?))
}
