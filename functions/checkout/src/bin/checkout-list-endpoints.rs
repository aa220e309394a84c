//! `GET /v1/webhook-endpoints`

use checkout::api::list_endpoints::{ListEndpoints, router};
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let state =
        ListEndpoints { store: Store::new(client, var("CHECKOUT_TABLE")?), clock: Clock::System };
    shared::http::serve(router(state)).await
}
