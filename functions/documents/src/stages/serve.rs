//! Runs a stage's Lambda.

use shared::Result;
use shared::program::Environment;

use super::{Pipeline, Work};
use crate::queues::consumer;
use crate::sandbox::Sandbox;
use crate::system;

/// Runs the Lambda of the stage that does `work`.
pub(super) async fn serve<W: Work>(environment: &Environment, work: W) -> Result<()> {
    let queues = system::queues(environment)?;
    let queue = queues.stage(W::STAGE)?.clone();
    let jobs = consumer(queue, environment.dead_letters()?, W::TIME_LIMIT);
    let pipeline = Pipeline {
        documents: system::documents(environment)?,
        queues,
        ids: environment.ids(),
        clock: environment.clock.clone(),
    };
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| pipeline.job(&work, job, invocation.deadline)).await
    })
    .await
}

/// A sandbox that starts this program again for each file.
pub(super) fn sandbox() -> Result<Sandbox> {
    Ok(Sandbox::new(std::env::current_exe()?))
}
