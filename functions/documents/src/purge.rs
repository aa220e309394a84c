//! Deletes everything of a document that was cancelled or deleted.
//!
//! The request queues the job before it marks the record, so that every mark has a job. The job waits for
//! an attempt that may still write, deletes every version of every object, and then deletes the record.

use std::time::Duration;

use shared::Result;
use shared::batch::{self, Message};
use shared::clock::Clock;
use shared::lease;
use shared::program::Environment;

use crate::document::Status;
use crate::objects::Objects;
use crate::queues::{Job, consumer};
use crate::store::Documents;
use crate::system;

/// How many times a job checks for the record's mark before it concludes that the request failed. The checks
/// take 25 s; a request ends after 10 s.
pub const MAX_CHECKS: u32 = 6;
/// The wait between two checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

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

/// The task's dependencies.
#[derive(Clone, Debug)]
pub struct Purge {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The clock.
    pub clock: Clock,
}

impl Purge {
    /// Handles a job.
    pub async fn handle(&self, message: Message<Job>) -> Result<(), batch::Failure> {
        let Job::V1 { owner, document_id } = message.body;
        let key = (owner, document_id);
        let document = self.documents.get(key).await?;
        if document.is_none() && self.documents.deleted(key).await?.is_none() {
            // Without a record or a tombstone, nothing shows that the owner wanted the deletion.
            tracing::error!(%document_id, "not purging a document without a record");
            return Ok(());
        }
        if let Some(document) = &document {
            if !matches!(document.status, Status::Cancelled | Status::Deleting) {
                if message.receive_count < MAX_CHECKS {
                    let reason = format!("{document_id} is not marked for deletion yet");
                    return Err(batch::Failure::retry_after(reason, CHECK_INTERVAL));
                }
                tracing::warn!(%document_id, "not marked for deletion");
                return Ok(());
            }
            let now = self.clock.now();
            if !document.lease_left(now).is_zero() {
                let reason = format!("an attempt may still write for {document_id}");
                return Err(batch::Failure::retry_after(
                    reason,
                    lease::retry_after(document.lease_until, now),
                ));
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
