//! Posts an event to a merchant's webhook.

use shared::Result;
use shared::program::Environment;
use shared::webhook::{Deliver, Message, Place, Source, TIME_LIMIT};

use crate::public::Publication;
use crate::queues::{self, MAX_DELIVERIES, Told};
use crate::store::Store;
use crate::system;

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
