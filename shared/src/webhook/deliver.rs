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

/// How long a job may take: the post, and reading and writing what is needed for it.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// A job: a message is to be posted to an endpoint. `A` is what the system needs to find both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Job<A> {
    /// For the first time.
    #[serde(rename = "1")]
    V1 {
        /// The message and its endpoint.
        #[serde(flatten)]
        about: A,
    },
    /// Again, on demand.
    #[serde(rename = "2")]
    V2 {
        /// The message and its endpoint.
        #[serde(flatten)]
        about: A,
        /// Where the endpoint is.
        place: Place,
        /// Which delivery.
        delivery: DeliveryId,
        /// The how-manieth time on demand this is, from 1.
        resend: u32,
    },
}

/// A message to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, always the same: 1 to 200 of ASCII's letters, digits, `_`, `-` and `.`.
    pub id: String,
    /// Its type, such as `order.placed`.
    pub kind: String,
    /// When that happened of which it tells, always the same.
    pub created_at: Timestamp,
    /// JSON.
    pub body: String,
}

/// A system that tells others of something.
pub trait Source: Sync {
    /// What a job names.
    type About: Clone + Serialize + DeserializeOwned + Send + Sync;

    /// The message, and where its endpoint is; nothing if there is nothing to tell. It must give the same
    /// each time, or, if it has changed, a message with another id.
    fn find(
        &self,
        about: &Self::About,
    ) -> impl Future<Output = Result<Option<(Place, Message)>>> + Send;
}

/// What delivers messages.
#[derive(Clone, Debug)]
pub struct Deliver {
    /// Endpoints and deliveries.
    pub store: Store,
    /// What posts.
    pub courier: Courier,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
}

/// A delivery that is under way.
struct Way {
    place: Place,
    subject: Subject,
    seen: Seen,
    resends: u32,
    at: Timestamp,
}

impl Deliver {
    /// Does a job, which the queue hands out for up to `max_attempts` times and once more.
    ///
    /// # Errors
    /// [`Failure::Retry`] as long as there are attempts left, after the wait that the receiver asks for;
    /// then [`Failure::Permanent`].
    pub async fn job<S: Source>(
        &self,
        source: &S,
        job: batch::Message<Job<S::About>>,
        max_attempts: u32,
    ) -> Result<(), Failure> {
        let is_last = job.receive_count > max_attempts;
        let at = self.clock.now();
        let (about, asked) = match job.body {
            Job::V1 { about } => (about, None),
            Job::V2 { about, place, delivery, resend } => (about, Some((place, delivery, resend))),
        };
        let found = source.find(&about).await?;
        let found = found.map(|(place, message)| {
            (place, DeliveryId::of(message.created_at, &message.id), message)
        });
        let (place, id, message, resends) = match (found, asked) {
            (None, None) => return Ok(()),
            (Some((place, id, message)), None) => (place, id, message, 0),
            (Some((place, id, message)), Some((_, asked, resends))) if id == asked => {
                (place, id, message, resends)
            }
            (_, Some((place, id, resends))) => {
                // What it told of is gone, or is told of by another message.
                let seen = self.store.delivery(&place, &id, at).await?;
                return Ok(self.drop(&place, &seen, resends, at, "message_gone").await?);
            }
        };
        let about = serde_json::to_value(&about)?;
        let webhook = self.store.webhook(&place).await?;
        let seen = self.store.delivery(&place, &id, at).await?;
        if let Some(delivery) = seen.delivery.as_ref().filter(|it| it.is_settled_for(resends)) {
            if delivery.outcome == Outcome::Delivered {
                // The attempt that delivered it may have died before it noted so.
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
                // First the log: a job that comes again must not post again.
                self.record(way, Found::Status(status.as_u16(), Outcome::Delivered)).await?;
                self.store.succeeded(&way.place, way.at).await?;
                tracing::info!(message_id, event = kind, "delivered");
                metrics::counter!("WebhooksDelivered").increment(1);
                return Ok(());
            }
            Ok(Answered { status, .. }) if status.as_u16() == 410 => {
                // First the endpoint: nothing more is posted from here on.
                if self.store.gone(&way.place, webhook, way.at).await? {
                    disabled(&way.place, Reason::Gone);
                }
                return Ok(self.record(way, Found::Status(410, Outcome::GivenUp)).await?);
            }
            Ok(Answered { status, wait }) => {
                let error = Error::internal(format!("the server answered {status}"));
                (Found::Status(status.as_u16(), open), error, wait)
            }
            Err(error) => (Found::Error(error.class(), open), error.into(), None),
        };
        let since = self.store.failed(&way.place, webhook, way.at).await?;
        // Only a message that is given up disables: it has failed many times over some time, however
        // seldom there is something to tell.
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

    /// Gives a message up that cannot be posted any more, if its delivery is in the log.
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

/// Says that an endpoint is disabled.
fn disabled(place: &Place, reason: Reason) {
    let (pk, sk) = &place.endpoint;
    tracing::error!(pk, sk, ?reason, "webhook endpoint disabled: nothing more is posted to it");
    metrics::counter!("WebhooksDisabled").increment(1);
}
