//! `GET /v1/stock/{sku}`

use inventory::Inventory;
use inventory::api::get_stock::{GetStock, router};
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("inventory");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let inventory = Inventory::new(client, var("INVENTORY_TABLE")?);
    shared::http::serve(router(GetStock { inventory, clock: Clock::System })).await
}
