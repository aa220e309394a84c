//! `GET /v1/products/{sku}`

use checkout::api::get_product::{GetProduct, router};
use checkout::store::Store;
use inventory::Inventory;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let state = GetProduct {
        store: Store::new(client.clone(), var("CHECKOUT_TABLE")?),
        inventory: Inventory::new(client, var("INVENTORY_TABLE")?),
        clock: Clock::System,
    };
    shared::http::serve(router(state)).await
}
