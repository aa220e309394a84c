//! The checkout table's stream: events go to the queues.

use checkout::relay::Relay;
use checkout::store::Store;
use shared::config::var;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let relay = Relay {
        store: Store::new(aws_sdk_dynamodb::Client::new(&aws), var("CHECKOUT_TABLE")?),
        orders: Queue::new(sqs.clone(), var("ORDERS_QUEUE_URL")?),
        webhooks: Queue::new(sqs, var("WEBHOOKS_QUEUE_URL")?),
    };
    shared::invocation::run(async |batch, invocation| relay.batch(batch, &invocation).await).await
}
