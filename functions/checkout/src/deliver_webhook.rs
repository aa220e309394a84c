//! Posts an event to a merchant's webhook.

use shared::Result;
use shared::program::Environment;
use shared::webhook::{Deliver, Message, Place, Source, TIME_LIMIT};

use crate::public::Publication;
use crate::queues::{self, MAX_DELIVERIES, Told};
use crate::store::Store;
use crate::system;

/// The types of the messages, with their summaries.
pub(crate) const KINDS: [(&str, &str); 8] = [
    ("order.placed", "An order is placed"),
    ("order.confirmed", "An order is paid"),
    ("order.cancelled", "An order has ended unpaid"),
    ("refund.succeeded", "The customer has the money of a refund"),
    ("refund.failed", "A refund has failed"),
    ("refund.reversed", "The bank has returned the money of a refund"),
    ("refund.found", "The provider has a refund that we did not request"),
    ("dispute.moved", "A dispute of the payment has begun or has moved money"),
];

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let events = Events { store: system::store(environment)? };
    let deliver = Deliver {
        store: events.store.webhooks(),
        courier: environment.courier()?,
        clock: environment.clock.clone(),
        ids: environment.ids(),
    };
    let (webhooks, dead_letters) = (system::webhooks(environment)?, environment.dead_letters()?);
    let jobs = queues::webhooks(webhooks, dead_letters, TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| deliver.job(&events, job, MAX_DELIVERIES)).await
    })
    .await
}

/// The source of the messages: the events of orders.
#[derive(Clone, Debug)]
pub struct Events {
    /// The checkout's table.
    pub store: Store,
}

impl Source for Events {
    type About = Told;

    async fn find(&self, about: &Told) -> Result<Option<(Place, Message)>> {
        let Told { endpoint, order, event: version } = about;
        let found = Publication::find(&self.store, *order, *version).await?;
        Ok(found.map(|publication| {
            let message = Message {
                id: format!("msg_{order}_{version}"),
                kind: publication.name.to_owned(),
                created_at: publication.recorded.at,
                body: publication.webhook().to_string(),
            };
            (Store::place(endpoint), message)
        }))
    }
}
