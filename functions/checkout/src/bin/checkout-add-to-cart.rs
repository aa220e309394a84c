//! `POST /v1/cart/lines`

use checkout::api::add_to_cart::{AddToCart, router};
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;
use shared::idempotency::Records;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let records = Records::new(client.clone(), var("REQUESTS_TABLE")?, Clock::System);
    let state =
        AddToCart { store: Store::new(client, var("CHECKOUT_TABLE")?), clock: Clock::System };
    shared::http::serve(router(state, records)).await
}
