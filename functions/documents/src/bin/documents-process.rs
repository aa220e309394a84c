//! A job of the queue: read a document. Started as a reader, it reads one PDF and ends.

use std::process::ExitCode;

use documents::objects::{self, Objects};
use documents::process::Process;
use documents::reader::{Reader, main_if_reader};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;

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
    let task = &task;
    shared::invocation::run(async |event, invocation| {
        shared::batch::run(event, |job| task.handle(job, invocation.deadline)).await
    })
    .await
}
