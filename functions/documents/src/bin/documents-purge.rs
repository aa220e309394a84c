//! A job: delete everything of a document.

use documents::objects::{self, Objects};
use documents::purge::{Purge, TIME_LIMIT};
use documents::queues::{Queues, consumer};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let task = Purge {
        documents: Documents::new(aws_sdk_dynamodb::Client::new(&aws), var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        clock: Clock::System,
    };
    let purge = Queues::of_environment(&sqs)?.purge()?.clone();
    let jobs = consumer(purge, Queue::new(sqs, var("DEAD_LETTERS_URL")?), TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| task.handle(job)).await
    })
    .await
}
