//! S3 tells that a file has arrived.

use documents::budget::Budgets;
use documents::objects::{self, Objects};
use documents::on_upload::{OnUpload, TIME_LIMIT};
use documents::queues::{Queues, consumer};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let (sqs, dynamodb) = (aws_sdk_sqs::Client::new(&aws), aws_sdk_dynamodb::Client::new(&aws));
    let task = OnUpload {
        documents: Documents::new(dynamodb.clone(), var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        queues: Queues::of_environment(&sqs)?,
        budgets: Budgets::new(dynamodb, var("REQUESTS_TABLE")?, Clock::System),
        clock: Clock::System,
    };
    let queue = |url| Queue::new(sqs.clone(), url);
    let (events, dead) = (queue(var("UPLOAD_EVENTS_QUEUE_URL")?), queue(var("DEAD_LETTERS_URL")?));
    let events = consumer(events, dead, TIME_LIMIT).concurrency(10);
    shared::invocation::run(async |event, invocation| {
        events.consume(event, &invocation, |message| task.handle(message)).await
    })
    .await
}
