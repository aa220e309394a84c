//! `GET /v1/stock/{sku}/movements`

use inventory::Inventory;
use inventory::api::list_movements::{ListMovements, router};
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("inventory");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let inventory = Inventory::new(client, var("INVENTORY_TABLE")?);
    shared::http::serve(router(ListMovements { inventory, clock: Clock::System })).await
}
