//! A job: tell a merchant of an event.

use checkout::deliver_webhook::{DeliverWebhook, TIME_LIMIT};
use checkout::queues::webhooks;
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;
use shared::queue::Queue;
use shared::webhook::Courier;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let task = DeliverWebhook {
        store: Store::new(aws_sdk_dynamodb::Client::new(&aws), var("CHECKOUT_TABLE")?),
        courier: Courier::new(var("TRUST_PRIVATE_WEBHOOKS")?)?,
        clock: Clock::System,
    };
    let queue = |url| Queue::new(sqs.clone(), url);
    let jobs =
        webhooks(queue(var("WEBHOOKS_QUEUE_URL")?), queue(var("DEAD_LETTERS_URL")?), TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| task.handle(job)).await
    })
    .await
}
