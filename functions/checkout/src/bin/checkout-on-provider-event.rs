//! `POST /v1/payments/webhook`

use checkout::api::on_provider_event::{OnProviderEvent, router};
use checkout::payments::secrets;
use shared::clock::Clock;
use shared::config::var;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let state = OnProviderEvent {
        orders: Queue::new(aws_sdk_sqs::Client::new(&aws), var("ORDERS_QUEUE_URL")?),
        secret: secrets::read(&aws, var("PAYMENTS_WEBHOOK_SECRET")?).await?,
        clock: Clock::System,
    };
    shared::http::serve(router(state)).await
}
