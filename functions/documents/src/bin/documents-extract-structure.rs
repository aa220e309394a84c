//! A job of the stage `structure`.

use documents::objects::{self, Objects};
use documents::queues::{Queues, consumer};
use documents::stage::Stage;
use documents::stages::Pipeline;
use documents::stages::structure::{ExtractStructure, TIME_LIMIT, extractor_of_environment};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let documents = Documents::new(aws_sdk_dynamodb::Client::new(&aws), var("DOCUMENTS_TABLE")?);
    let work = ExtractStructure {
        documents: documents.clone(),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        extractor: extractor_of_environment(&aws)?,
    };
    let queues = Queues::of_environment(&sqs)?;
    let dead_letters = Queue::new(sqs, var("DEAD_LETTERS_URL")?);
    let jobs = consumer(queues.stage(Stage::Structure)?.clone(), dead_letters, TIME_LIMIT);
    let pipeline =
        Pipeline { documents, queues, ids: Ids::random(Clock::System), clock: Clock::System };
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| pipeline.job(&work, job, invocation.deadline)).await
    })
    .await
}
