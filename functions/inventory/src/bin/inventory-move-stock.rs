//! `POST /v1/stock/{sku}/movements`

use inventory::Inventory;
use inventory::api::move_stock::{MoveStock, router};
use shared::clock::Clock;
use shared::config::var;
use shared::idempotency::Records;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("inventory");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let records = Records::new(client.clone(), var("REQUESTS_TABLE")?, Clock::System);
    let inventory = Inventory::new(client, var("INVENTORY_TABLE")?);
    shared::http::serve(router(MoveStock { inventory, clock: Clock::System }, records)).await
}
