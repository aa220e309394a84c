//! `POST /v1/orders/{order_id}/cancel`

use checkout::api::cancel_order::{CancelOrder, router};
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let state = CancelOrder {
        store: Store::new(client, var("CHECKOUT_TABLE")?),
        clock: Clock::System,
        ids: Ids::random(Clock::System),
    };
    shared::http::serve(router(state)).await
}
