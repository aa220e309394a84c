//! `DELETE /v1/cart/lines/{sku}`

use checkout::api::remove_from_cart::{RemoveFromCart, router};
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let state =
        RemoveFromCart { store: Store::new(client, var("CHECKOUT_TABLE")?), clock: Clock::System };
    shared::http::serve(router(state)).await
}
