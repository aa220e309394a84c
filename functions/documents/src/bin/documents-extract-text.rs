//! A job of the stage `text`. Started as a child, it reads one PDF and ends.

use std::process::ExitCode;

use documents::objects::{self, Objects};
use documents::queues::{Queues, consumer};
use documents::sandbox::{Sandbox, main_if_child};
use documents::stage::Stage;
use documents::stages::Pipeline;
use documents::stages::text::{ExtractText, TIME_LIMIT};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::queue::Queue;

fn main() -> shared::Result<ExitCode> {
    if let Some(exit_code) = main_if_child() {
        return Ok(exit_code);
    }
    serve().map(|()| ExitCode::SUCCESS)
}

#[tokio::main]
async fn serve() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let documents = Documents::new(aws_sdk_dynamodb::Client::new(&aws), var("DOCUMENTS_TABLE")?);
    let work = ExtractText {
        documents: documents.clone(),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        sandbox: Sandbox::new(std::env::current_exe()?),
        clock: Clock::System,
    };
    let queues = Queues::of_environment(&sqs)?;
    let dead_letters = Queue::new(sqs, var("DEAD_LETTERS_URL")?);
    let jobs = consumer(queues.stage(Stage::Text)?.clone(), dead_letters, TIME_LIMIT);
    let pipeline =
        Pipeline { documents, queues, ids: Ids::random(Clock::System), clock: Clock::System };
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| pipeline.job(&work, job, invocation.deadline)).await
    })
    .await
}
