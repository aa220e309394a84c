use jiff::Timestamp;
use lambda_http::http::StatusCode;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;

use super::deliver::Job;
use super::delivery::{Delivery, DeliveryId, LastAttempt, Outcome};
use super::endpoint::{Disabled, Webhook};
use super::store::{Place, Store};
use crate::http::Json;
use crate::http::idempotency::{Saved, Transaction};
use crate::http::page::{Page, cursor};
use crate::idempotency::{self, Commit};
use crate::problem::Problem;
use crate::queue::Queue;
use crate::{Result, clock::Clock};

/// How an endpoint stands, for its owner.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct State {
    /// Why nothing is posted, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<Disabled>,
    /// Until when an old secret signs beside the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_overlaps_until: Option<Timestamp>,
}

impl State {
    /// The state of an endpoint.
    #[must_use]
    pub fn of(webhook: &Webhook, now: Timestamp) -> Self {
        Self {
            disabled: webhook.disabled(),
            secret_overlaps_until: webhook.secret_overlaps_until(now),
        }
    }
}

/// A delivery, for the endpoint's owner.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    id: DeliveryId,
    message_id: String,
    #[serde(rename = "type")]
    kind: String,
    created_at: Timestamp,
    outcome: Outcome,
    attempts: u32,
    last_attempt: LastAttempt,
}

impl From<Delivery> for Shown {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            message_id: delivery.message_id,
            kind: delivery.kind,
            created_at: delivery.created_at,
            outcome: delivery.outcome,
            attempts: delivery.attempts,
            last_attempt: delivery.last_attempt,
        }
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize)]
pub struct Deliveries {
    deliveries: Vec<Shown>,
    /// To be given as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A new secret, shown to the endpoint's owner in this answer only.
#[derive(Debug, Serialize)]
struct NewSecret<'a> {
    url: &'a str,
    secret: &'a str,
    #[serde(flatten)]
    state: State,
}

impl Store {
    /// A page of an endpoint's deliveries, newest first. 1 RRU, and 0.5 RRU for 4 KB.
    ///
    /// # Errors
    /// 404 when there is no endpoint; 400 when there is no such page.
    pub async fn page(&self, place: &Place, page: &Page, clock: &Clock) -> Result<Deliveries> {
        let (after, limit) = (page.after::<DeliveryId>()?, page.limit()?);
        self.webhook(place).await?.ok_or_else(no_webhook)?;
        let (found, has_more) = self.deliveries(place, after.as_ref(), limit, clock.now()).await?;
        let next_cursor = found.last().filter(|_| has_more).map(|last| cursor(&last.id));
        Ok(Deliveries { deliveries: found.into_iter().map(Shown::from).collect(), next_cursor })
    }

    /// Has a message sent again, whatever has become of it, under the same id, by a job in `queue`. 2 RRU,
    /// 1 WRU.
    ///
    /// Sent twice, it is one more copy that the receiver tells by its id, so no `Idempotency-Key` is
    /// needed.
    ///
    /// # Errors
    /// 404 when there is no endpoint or no such delivery, 409 when the endpoint is disabled.
    pub async fn resend(
        &self,
        place: &Place,
        id: &str,
        queue: &Queue,
        clock: &Clock,
    ) -> Result<(StatusCode, Json<Shown>)> {
        let now = clock.now();
        let webhook = self.webhook(place).await?.ok_or_else(no_webhook)?;
        if webhook.disabled().is_some() {
            let title = "The webhook is disabled";
            return Err(Problem::new(StatusCode::CONFLICT, "webhook-disabled", title)
                .detail("Put it again, which enables it.")
                .into());
        }
        let no_delivery = || Problem::not_found("delivery");
        let id: DeliveryId = id.parse().map_err(|_| no_delivery())?;
        let seen = self.delivery(place, &id, now).await?;
        let before = seen.delivery.ok_or_else(no_delivery)?;
        let again = before.to_be_sent_again();
        let job: Job<Value> = Job::V2 {
            about: again.about.clone(),
            place: place.clone(),
            delivery: id.clone(),
            resend: again.resends,
        };
        // First the job, which does what is missing: a mark without a job would be pending for ever.
        queue.send(&job).await?;
        // Refused, an attempt was faster, and the log says what came of it.
        self.put(place, &again, seen.revision, now).await?;
        tracing::info!(delivery_id = %id, "to be sent again");
        Ok((StatusCode::ACCEPTED, Json(again.into())))
    }

    /// Gives an endpoint a new secret; the old one signs beside it for a day. The change and the answer,
    /// which has the secret, are one transaction: a request that comes again gets the same answer, for as
    /// long as answers are kept. 1 RRU, 4 WRU.
    ///
    /// # Errors
    /// 404 when there is no endpoint, 409 when too many old secrets sign.
    pub async fn rotate(
        &self,
        place: &Place,
        transaction: &Transaction,
        clock: &Clock,
    ) -> Result<idempotency::Outcome<Saved>> {
        let attempt = || async {
            let now = clock.now();
            let before = self.webhook(place).await?.ok_or_else(no_webhook)?;
            let after = before.rotated(now)?;
            let answer = Json(NewSecret {
                url: &after.url,
                secret: after.secret.expose_secret(),
                state: State::of(&after, now),
            });
            let commit = Commit::new(Saved::of(answer).await?);
            transaction.try_commit(commit.write(self.rotation(place, &before, &after)?)).await
        };
        transaction.retried(attempt).await
    }
}

fn no_webhook() -> Problem {
    Problem::not_found("webhook")
}
