//! Each minute: releases reservations that have expired.

use inventory::Inventory;
use inventory::sweep::Sweep;
use serde_json::Value;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("inventory");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let inventory = Inventory::new(client, var("INVENTORY_TABLE")?);
    let task = Sweep { inventory, clock: Clock::System };
    shared::invocation::run(async |_: Value, invocation| task.handle(&invocation).await).await
}
