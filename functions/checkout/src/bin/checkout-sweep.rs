//! On a schedule: orders that stand still are looked after.

use checkout::store::Store;
use checkout::sweep::Sweep;
use serde_json::Value;
use shared::clock::Clock;
use shared::config::var;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let task = Sweep {
        store: Store::new(aws_sdk_dynamodb::Client::new(&aws), var("CHECKOUT_TABLE")?),
        orders: Queue::new(aws_sdk_sqs::Client::new(&aws), var("ORDERS_QUEUE_URL")?),
        clock: Clock::System,
    };
    shared::invocation::run(async |_: Value, invocation| task.handle(invocation.deadline).await)
        .await
}
