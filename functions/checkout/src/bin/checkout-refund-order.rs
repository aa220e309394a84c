//! `POST /v1/orders/{order_id}/refunds`

use checkout::api::refund_order::{RefundOrder, router};
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::idempotency::Records;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let records = Records::new(client.clone(), var("REQUESTS_TABLE")?, Clock::System);
    let state = RefundOrder {
        store: Store::new(client, var("CHECKOUT_TABLE")?),
        clock: Clock::System,
        ids: Ids::random(Clock::System),
    };
    shared::http::serve(router(state, records)).await
}
