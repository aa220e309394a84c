use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::courier::{Answered, Courier};
use super::delivery::{Attempt, DeliveryId, Found, Outcome, Subject};
use super::endpoint::{Reason, Webhook};
use super::store::{Place, Seen, Store};
use crate::batch::{self, Failure};
use crate::clock::Clock;
use crate::id::Ids;
use crate::{Error, Result};

/// Time limit of a job: the request to the receiver, and the reads and writes of the table.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// A job that posts a message to an endpoint. With `A`, the system finds the message and the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Job<A> {
    /// The first delivery.
    #[serde(rename = "1")]
    V1 {
        /// The message and its endpoint.
        #[serde(flatten)]
        about: A,
    },
    /// A resend, on demand.
    #[serde(rename = "2")]
    V2 {
        /// The message and its endpoint.
        #[serde(flatten)]
        about: A,
        /// The keys of the endpoint.
        place: Place,
        /// The delivery.
        delivery: DeliveryId,
        /// The number of this resend, from 1.
        resend: u32,
    },
}

/// A message to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The id, the same for each attempt: 1 to 200 ASCII letters, digits, `_`, `-` and `.`.
    pub id: String,
    /// The type, such as `order.placed`.
    pub kind: String,
    /// The time of the event, the same for each attempt.
    pub created_at: Timestamp,
    /// The body, as JSON.
    pub body: String,
}

/// A system that sends messages.
pub trait Source: Sync {
    /// The reference in a job from which the system finds the message.
    type About: Clone + Serialize + DeserializeOwned + Send + Sync;

    /// The message and the keys of its endpoint; `None` if there is no message. Each call must return the
    /// same message. If the content has changed, the message needs another id.
    fn find(
        &self,
        about: &Self::About,
    ) -> impl Future<Output = Result<Option<(Place, Message)>>> + Send;
}

/// Delivers messages.
#[derive(Clone, Debug)]
pub struct Deliver {
    /// The store of endpoints and deliveries.
    pub store: Store,
    /// The client that posts.
    pub courier: Courier,
    /// The clock.
    pub clock: Clock,
    /// The source of new ids.
    pub ids: Ids,
}

/// A delivery in progress.
struct Way {
    place: Place,
    subject: Subject,
    seen: Seen,
    resends: u32,
    at: Timestamp,
}

impl Deliver {
    /// Runs a job. The attempt after `max_attempts` is the last one. The queue delivers a job more often
    /// than that, so that another attempt follows if the last one crashes.
    ///
    /// # Errors
    /// [`Failure::Retry`], with the wait that the receiver requests, as long as attempts are left; then
    /// [`Failure::Permanent`].
    pub async fn job<S: Source>(
        &self,
        source: &S,
        job: batch::Message<Job<S::About>>,
        max_attempts: u32,
    ) -> Result<(), Failure> {
        let is_last = job.receive_count > max_attempts;
        let at = self.clock.now();
        let (about, requested) = match job.body {
            Job::V1 { about } => (about, None),
            Job::V2 { about, place, delivery, resend } => (about, Some((place, delivery, resend))),
        };
        let found = source.find(&about).await?;
        let found = found.map(|(place, message)| {
            (place, DeliveryId::of(message.created_at, &message.id), message)
        });
        let (place, id, message, resends) = match (found, requested) {
            (None, None) => return Ok(()),
            (Some((place, id, message)), None) => (place, id, message, 0),
            (Some((place, id, message)), Some((_, requested, resends))) if id == requested => {
                (place, id, message, resends)
            }
            (_, Some((place, id, resends))) => {
                // The subject of the message is deleted, or another message has replaced this one.
                let seen = self.store.delivery(&place, &id, at).await?;
                return Ok(self.drop(&place, &seen, resends, at, "message_gone").await?);
            }
        };
        let about = serde_json::to_value(&about)?;
        let webhook = self.store.webhook(&place).await?;
        let seen = self.store.delivery(&place, &id, at).await?;
        if let Some(delivery) = seen.delivery.as_ref().filter(|it| it.is_settled_for(resends)) {
            if delivery.outcome == Outcome::Delivered {
                // The attempt that delivered it may have crashed before it recorded the success at the
                // endpoint.
                self.store.succeeded(&place, delivery.last_attempt.at).await?;
            }
            return Ok(());
        }
        let Some(webhook) = webhook else {
            return Ok(self.drop(&place, &seen, resends, at, "endpoint_removed").await?);
        };
        let subject = Subject {
            id,
            message_id: message.id,
            kind: message.kind,
            created_at: message.created_at,
            about,
        };
        let way = Way { place, subject, seen, resends, at };
        if webhook.disabled().is_some() {
            return Ok(self.record(&way, Found::NotPosted("disabled")).await?);
        }
        self.post(&way, &webhook, &message.body, is_last).await
    }

    async fn post(
        &self,
        way: &Way,
        webhook: &Webhook,
        body: &str,
        is_last: bool,
    ) -> Result<(), Failure> {
        let Subject { message_id, kind, .. } = &way.subject;
        let open = if is_last { Outcome::GivenUp } else { Outcome::Pending };
        let (found, error, after) = match self.courier.post(webhook, message_id, body, way.at).await
        {
            Ok(Answered { status, .. }) if status.is_success() => {
                // Write the log first, so that a redelivered job does not post again.
                self.record(way, Found::Status(status.as_u16(), Outcome::Delivered)).await?;
                self.store.succeeded(&way.place, way.at).await?;
                tracing::info!(message_id, event = kind, "delivered");
                metrics::counter!("WebhooksDelivered").increment(1);
                return Ok(());
            }
            Ok(Answered { status, .. }) if status.as_u16() == 410 => {
                // Disable the endpoint first: from then on, no message is posted.
                if self.store.gone(&way.place, webhook, way.at).await? {
                    disabled(&way.place, Reason::Gone);
                    return Ok(self.record(way, Found::Status(410, Outcome::GivenUp)).await?);
                }
                // The endpoint was put again or removed since it was read: a retry finds the new state.
                let error = Error::internal("a replaced endpoint answered 410");
                (Found::Status(410, open), error, None)
            }
            Ok(Answered { status, wait }) => {
                let error = Error::internal(format!("the server answered {status}"));
                (Found::Status(status.as_u16(), open), error, wait)
            }
            Err(error) => (Found::Error(error.class(), open), error.into(), None),
        };
        let since = self.store.failed(&way.place, webhook, way.at).await?;
        // Only a message that is given up disables the endpoint: it has failed many times over a long
        // time, even if messages are rare.
        if is_last && self.store.disable(&way.place, webhook, since, way.at).await? {
            disabled(&way.place, Reason::Failing);
        }
        self.record(way, found).await?;
        Err(if is_last { Failure::Permanent(error) } else { Failure::Retry { error, after } })
    }

    async fn record(&self, way: &Way, found: Found) -> Result<()> {
        let Way { place, subject, seen, resends, at } = way;
        let (id, seen_revision) = (self.ids.next(), seen.revision);
        let attempt = Attempt { id, seen: seen_revision, resends: *resends, at: *at, found };
        self.store.record(place, subject, seen, &attempt).await
    }

    /// Gives up a message that can no longer be posted, if its delivery is in the log.
    async fn drop(
        &self,
        place: &Place,
        seen: &Seen,
        resends: u32,
        at: Timestamp,
        reason: &'static str,
    ) -> Result<()> {
        let Some(delivery) = seen.delivery.clone() else { return Ok(()) };
        let subject = Subject {
            id: delivery.id,
            message_id: delivery.message_id,
            kind: delivery.kind,
            created_at: delivery.created_at,
            about: delivery.about,
        };
        let way = Way { place: place.clone(), subject, seen: seen.clone(), resends, at };
        self.record(&way, Found::NotPosted(reason)).await
    }
}

/// Logs that an endpoint is disabled.
fn disabled(place: &Place, reason: Reason) {
    let (pk, sk) = &place.endpoint;
    tracing::error!(pk, sk, ?reason, "webhook endpoint disabled: it gets no more messages");
    metrics::counter!("WebhooksDisabled").increment(1);
}
