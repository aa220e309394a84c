//! Deletes everything of a document that was cancelled or deleted.
//!
//! The job is queued before the record is marked, so that no mark is left without a job. It waits for
//! an attempt that may still be writing, deletes every version of every object, and only then the
//! record.

use std::time::Duration;

use shared::Result;
use shared::batch::{Failure as Trouble, Message};
use shared::clock::Clock;
use shared::program::Environment;

use crate::document::Status;
use crate::objects::Objects;
use crate::queues::{Job, consumer};
use crate::store::Documents;
use crate::system;

/// How often a job looks for the mark that should be there, before it takes the request for one that
/// failed: over 25 s, where a request is ended after 10.
pub const LOOKS: u32 = 6;
/// How long it waits before it looks again.
const LOOK_AGAIN_IN: Duration = Duration::from_secs(5);

/// How long a job may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(50);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = Purge {
        documents: system::documents(environment)?,
        objects: system::objects(environment)?,
        clock: environment.clock.clone(),
    };
    let queue = system::queues(environment)?.purge()?.clone();
    let jobs = consumer(queue, environment.dead_letters()?, TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| task.handle(job)).await
    })
    .await
}

/// What the task needs.
#[derive(Clone, Debug)]
pub struct Purge {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The time.
    pub clock: Clock,
}

impl Purge {
    /// Does a job.
    pub async fn handle(&self, message: Message<Job>) -> Result<(), Trouble> {
        let Job::V1 { owner, document_id } = message.body;
        let key = (owner, document_id);
        let document = self.documents.get(key).await?;
        if document.is_none() && self.documents.deleted(key).await?.is_none() {
            // Nothing says that its owner wants it gone.
            tracing::error!(%document_id, "a document without a record is not purged");
            return Ok(());
        }
        if let Some(document) = &document {
            if !matches!(document.status, Status::Cancelled | Status::Deleting) {
                if message.receive_count < LOOKS {
                    let reason = format!("{document_id} is not to be deleted, or not yet");
                    return Err(Trouble::retry_after(reason, LOOK_AGAIN_IN));
                }
                tracing::warn!(%document_id, "not to be deleted");
                return Ok(());
            }
            let left = document.lease_left(self.clock.now());
            if !left.is_zero() {
                let reason = format!("an attempt may still be writing for {document_id}");
                return Err(Trouble::retry_after(reason, left + Duration::from_secs(1)));
            }
            self.documents.forget_reading(document).await?;
        }
        let multipart = document.as_ref().and_then(|document| document.multipart.as_deref());
        self.objects.purge(key, multipart).await?;
        match document {
            Some(document) if document.status == Status::Deleting => {
                self.documents.remove(&document).await?;
            }
            Some(_) => self.documents.purged(key).await?,
            None => {}
        }
        tracing::info!(%document_id, "purged");
        metrics::counter!("DocumentsPurged").increment(1);
        Ok(())
    }
}
