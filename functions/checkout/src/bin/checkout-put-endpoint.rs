//! `PUT /v1/webhook-endpoints/{name}`

use checkout::api::put_endpoint::{PutEndpoint, router};
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::webhook::Courier;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let state = PutEndpoint {
        store: Store::new(client, var("CHECKOUT_TABLE")?),
        courier: Courier::new(var("TRUST_PRIVATE_WEBHOOKS")?)?,
        clock: Clock::System,
        ids: Ids::random(Clock::System),
    };
    shared::http::serve(router(state)).await
}
