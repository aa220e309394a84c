//! Tells a tenant that a document has come to its end.

use std::time::Duration;

use serde_json::json;
use shared::Result;
use shared::batch::{Failure as Trouble, Message};
use shared::clock::Clock;
use shared::program::Environment;
use shared::webhook::{Courier, NotTaken};

use crate::api::View;
use crate::document::Status;
use crate::queues::{Job, MAX_ATTEMPTS, webhook_consumer};
use crate::store::Documents;
use crate::system;

/// How long a delivery may take: the post, and looking up what is posted.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = DeliverWebhook {
        documents: system::documents(environment)?,
        courier: environment.courier()?,
        clock: environment.clock.clone(),
    };
    let queue = system::queues(environment)?.webhooks()?.clone();
    let jobs = webhook_consumer(queue, environment.dead_letters()?, TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| task.handle(job)).await
    })
    .await
}

/// What the task needs.
#[derive(Clone, Debug)]
pub struct DeliverWebhook {
    /// The documents' table.
    pub documents: Documents,
    /// What posts.
    pub courier: Courier,
    /// The time.
    pub clock: Clock,
}

impl DeliverWebhook {
    /// Does a job. A message may come more than once, always under the same id.
    pub async fn handle(&self, message: Message<Job>) -> Result<(), Trouble> {
        let Job::V1 { owner, document_id } = message.body;
        let Some(document) = self.documents.get((owner, document_id)).await? else { return Ok(()) };
        let event = match document.status {
            Status::Ready => "document.ready",
            Status::Rejected => "document.rejected",
            Status::Failed => "document.failed",
            _ => return Ok(()),
        };
        let Some(webhook) = self.documents.settings(document.tenant).await?.webhook else {
            return Ok(());
        };
        if webhook.gone_at.is_some() {
            return Ok(());
        }
        let (tenant, now) = (document.tenant, self.clock.now());
        let ended = document.finished_at.unwrap_or(now);
        let id = format!("msg_{document_id}_{}", ended.as_millisecond());
        let body = json!({"type": event, "timestamp": ended, "data": View::of(document, now)});
        match self.courier.post(&webhook, &id, &body.to_string(), now).await {
            Ok(()) => {
                tracing::info!(%document_id, event, "told");
                metrics::counter!("WebhooksDelivered").increment(1);
                Ok(())
            }
            Err(NotTaken::Gone) => {
                tracing::warn!(%tenant, "gone (410): nothing more is posted");
                Ok(self.documents.webhook_gone(tenant, &webhook, now).await?)
            }
            Err(error) => Err(error.failure(message.receive_count > MAX_ATTEMPTS)),
        }
    }
}
