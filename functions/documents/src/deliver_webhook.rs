//! Posts the final status of a document to the tenant's webhook.

use serde_json::json;
use shared::Result;
use shared::clock::Clock;
use shared::program::Environment;
use shared::webhook::{Deliver, Message, Place, Source, TIME_LIMIT};

use crate::api::View;
use crate::document::Status;
use crate::queues::{MAX_ATTEMPTS, Told, webhook_consumer};
use crate::store::Documents;
use crate::system;

/// The final statuses that a tenant is told, with the type and the summary of the message.
pub(crate) const ENDS: [(Status, &str, &str); 3] = [
    (Status::Ready, "document.ready", "A document is ready"),
    (Status::Rejected, "document.rejected", "A document is rejected"),
    (Status::Failed, "document.failed", "The processing of a document has failed"),
];

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let clock = environment.clock.clone();
    let ends = Ends { documents: system::documents(environment)?, clock: clock.clone() };
    let deliver = Deliver {
        store: ends.documents.webhooks(),
        courier: environment.courier()?,
        clock,
        ids: environment.ids(),
    };
    let queue = system::queues(environment)?.webhooks()?.clone();
    let jobs = webhook_consumer(queue, environment.dead_letters()?, TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| deliver.job(&ends, job, MAX_ATTEMPTS)).await
    })
    .await
}

/// The source of the messages: documents with a final status.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The documents' table.
    pub documents: Documents,
    /// The clock.
    pub clock: Clock,
}

impl Source for Ends {
    type About = Told;

    /// If a document is tried again and gets another final status, that is another message.
    async fn find(&self, about: &Told) -> Result<Option<(Place, Message)>> {
        let Told { owner, document_id } = *about;
        let Some(document) = self.documents.get((owner, document_id)).await? else {
            return Ok(None);
        };
        let end = ENDS.iter().find(|(status, ..)| *status == document.status);
        let Some((_, kind, _)) = end else { return Ok(None) };
        let (tenant, now) = (document.tenant, self.clock.now());
        let ended = document.finished_at.unwrap_or(now);
        let data = View::of(document, now);
        let message = Message {
            id: format!("msg_{document_id}_{}", ended.as_millisecond()),
            kind: (*kind).to_owned(),
            created_at: ended,
            body: json!({"type": kind, "timestamp": ended, "data": data}).to_string(),
        };
        Ok(Some((Documents::place(tenant), message)))
    }
}
