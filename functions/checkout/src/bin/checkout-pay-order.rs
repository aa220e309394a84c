//! `POST /v1/orders/{order_id}/payments`

use checkout::api::pay_order::{PayOrder, router};
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;
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
    let state =
        PayOrder { store: Store::new(client, var("CHECKOUT_TABLE")?), clock: Clock::System };
    shared::http::serve(router(state, records, limiter)).await
}
