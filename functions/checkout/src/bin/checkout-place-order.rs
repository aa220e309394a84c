//! `POST /v1/checkouts`

use checkout::api::place_order::{PlaceOrder, router};
use checkout::store::Store;
use inventory::Inventory;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::idempotency::Records;
use shared::rate_limit::RateLimiter;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let requests: String = var("REQUESTS_TABLE")?;
    let records = Records::new(client.clone(), requests.clone(), Clock::System);
    let limiter = RateLimiter::new(client.clone(), requests, Clock::System);
    let state = PlaceOrder {
        store: Store::new(client.clone(), var("CHECKOUT_TABLE")?),
        inventory: Inventory::new(client, var("INVENTORY_TABLE")?),
        clock: Clock::System,
        ids: Ids::random(Clock::System),
    };
    shared::http::serve(router(state, records, limiter)).await
}
