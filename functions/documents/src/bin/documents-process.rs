//! A job of the queue: read a document. Started as a reader, it reads one PDF and ends.

use std::process::ExitCode;

use documents::jobs::consumer;
use documents::objects::{self, Objects};
use documents::process::Process;
use documents::reader::{Reader, main_if_reader};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::queue::Queue;

fn main() -> shared::Result<ExitCode> {
    if let Some(exit_code) = main_if_reader() {
        return Ok(exit_code);
    }
    serve().map(|()| ExitCode::SUCCESS)
}

#[tokio::main]
async fn serve() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let task = Process {
        documents: Documents::new(aws_sdk_dynamodb::Client::new(&aws), var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        reader: Reader::new(std::env::current_exe()?),
        ids: Ids::random(Clock::System),
        clock: Clock::System,
    };
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let dead_letters = Queue::new(sqs.clone(), var("DOCUMENTS_DEAD_LETTERS_URL")?);
    let jobs = consumer(Queue::new(sqs, var("DOCUMENTS_QUEUE_URL")?), dead_letters);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| task.handle(job, invocation.deadline)).await
    })
    .await
}
