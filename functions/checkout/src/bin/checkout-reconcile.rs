//! On a schedule: our books are compared with the provider's.

use checkout::payments::{Stripe, secrets};
use checkout::reconcile::Reconcile;
use checkout::store::Store;
use serde_json::Value;
use shared::clock::Clock;
use shared::config::var;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let key = secrets::read(&aws, var("PAYMENTS_KEY_SECRET")?).await?;
    let task = Reconcile {
        store: Store::new(shared::aws::dynamodb(&aws).await, var("CHECKOUT_TABLE")?),
        payments: Stripe::new(var("PAYMENTS_URL")?, key)?,
        orders: Queue::new(aws_sdk_sqs::Client::new(&aws), var("ORDERS_QUEUE_URL")?),
        clock: Clock::System,
    };
    shared::invocation::run(async |_: Value, invocation| {
        task.handle(invocation.deadline).await.map(|_| ())
    })
    .await
}
