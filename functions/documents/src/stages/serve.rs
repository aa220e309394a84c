//! The programs of the stages, but for what makes each its own.

use std::process::ExitCode;

use aws_config::SdkConfig;
use shared::Result;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::queue::Queue;

use super::{Pipeline, Work};
use crate::objects::{self, Objects};
use crate::queues::{Queues, consumer};
use crate::sandbox::{Sandbox, main_if_child};
use crate::store::Documents;

/// What the work of a stage is made of, at cold start.
#[derive(Clone, Debug)]
pub struct Parts {
    /// For clients that only one stage has.
    pub aws: SdkConfig,
    /// For tables that only one stage has.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The time.
    pub clock: Clock,
}

/// Serves the jobs of the stage whose work `make` makes.
pub fn serve<W: Work>(make: impl FnOnce(Parts) -> Result<W>) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(run(make))
}

async fn run<W: Work>(make: impl FnOnce(Parts) -> Result<W>) -> Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let documents = Documents::new(dynamodb.clone(), var("DOCUMENTS_TABLE")?);
    let objects = Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?);
    let clock = Clock::System;
    let parts =
        Parts { aws, dynamodb, documents: documents.clone(), objects, clock: clock.clone() };
    let work = make(parts)?;
    let queues = Queues::of_environment(&sqs)?;
    let dead_letters = Queue::new(sqs, var("DEAD_LETTERS_URL")?);
    let jobs = consumer(queues.stage(W::STAGE)?.clone(), dead_letters, W::TIME_LIMIT);
    let pipeline = Pipeline { documents, queues, ids: Ids::random(clock.clone()), clock };
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| pipeline.job(&work, job, invocation.deadline)).await
    })
    .await
}

/// The same for a stage that has its files read by children, which are this program again.
pub fn serve_or_read<W: Work>(make: impl FnOnce(Parts, Sandbox) -> W) -> Result<ExitCode> {
    if let Some(exit_code) = main_if_child() {
        return Ok(exit_code);
    }
    let sandbox = Sandbox::new(std::env::current_exe()?);
    serve(|parts| Ok(make(parts, sandbox)))?;
    Ok(ExitCode::SUCCESS)
}
