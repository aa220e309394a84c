//! `GET /v1/orders/{order_id}`

use checkout::api::get_order::{GetOrder, router};
use checkout::payments::{Stripe, secrets};
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let key = secrets::read(&aws, var("PAYMENTS_KEY_SECRET")?).await?;
    let state = GetOrder {
        store: Store::new(client, var("CHECKOUT_TABLE")?),
        payments: Stripe::new(var("PAYMENTS_URL")?, key)?,
        clock: Clock::System,
    };
    shared::http::serve(router(state)).await
}
