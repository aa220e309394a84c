//! A job: tell a tenant of a document's end.

use documents::deliver_webhook::{DeliverWebhook, TIME_LIMIT};
use documents::queues::{Queues, webhook_consumer};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::queue::Queue;
use shared::webhook::Courier;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let task = DeliverWebhook {
        documents: Documents::new(aws_sdk_dynamodb::Client::new(&aws), var("DOCUMENTS_TABLE")?),
        courier: Courier::new(var("TRUST_PRIVATE_WEBHOOKS")?)?,
        clock: Clock::System,
    };
    let webhooks = Queues::of_environment(&sqs)?.webhooks()?.clone();
    let dead_letters = Queue::new(sqs, var("DEAD_LETTERS_URL")?);
    let jobs = webhook_consumer(webhooks, dead_letters, TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| task.handle(job)).await
    })
    .await
}
