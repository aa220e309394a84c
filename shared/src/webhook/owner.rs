use jiff::Timestamp;
use lambda_http::http::StatusCode;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::courier::Courier;
use super::deliver::Job;
use super::delivery::{Delivery, DeliveryId, LastAttempt, Outcome};
use super::endpoint::{Disabled, Webhook};
use super::store::{Place, Store};
use crate::http::Json;
use crate::http::idempotency::{Saved, Transaction};
use crate::http::page::{Next, Page, cursor};
use crate::idempotency::{self, Commit};
use crate::problem::{Problem, ProblemType};
use crate::queue::Queue;
use crate::{Result, clock::Clock};

/// 422: the URL must not be called.
pub const INVALID_WEBHOOK: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-webhook",
    "The URL of the webhook is not valid",
);
/// 409: nothing is posted to a disabled webhook.
pub const WEBHOOK_DISABLED: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "webhook-disabled", "The webhook is disabled");

/// The state of an endpoint, for its owner.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = WebhookState)]
pub struct State {
    /// When and why the endpoint was disabled, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<Disabled>,
    /// The time until which an old secret signs too.
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

/// The endpoint after its owner puts `url`, and whether its secret is new. The secret stays if the URL
/// stays and the receiver has not answered 410. The URL is checked, unless nothing changes.
///
/// # Errors
/// 422 `invalid-webhook`, with `field`, when the URL must not be called; when the system's random source
/// fails.
pub async fn put(
    before: Option<&Webhook>,
    url: &str,
    courier: &Courier,
    field: &str,
) -> Result<(Webhook, bool)> {
    let same = before.and_then(|before| before.put_again(url));
    if let Some(same) = &same
        && Some(same) == before
    {
        return Ok((same.clone(), false));
    }
    courier
        .check(url)
        .await
        .map_err(|error| Problem::of(INVALID_WEBHOOK).field(field, error.to_string()))?;
    match same {
        Some(same) => Ok((same, false)),
        None => Ok((Webhook::at(url.to_owned())?, true)),
    }
}

/// A delivery, for the endpoint's owner.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct Shown {
    id: DeliveryId,
    /// The message's id, which the receiver gets as `webhook-id`.
    message_id: String,
    /// The message's type, such as `order.placed`.
    #[serde(rename = "type")]
    kind: String,
    /// The time of the message's event.
    created_at: Timestamp,
    outcome: Outcome,
    /// The number of recorded requests.
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
#[derive(Debug, Serialize, ToSchema)]
pub struct Deliveries {
    /// The deliveries, newest first.
    deliveries: Vec<Shown>,
    /// The `cursor` of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A new secret, shown to the endpoint's owner in this response only.
#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhookSecret)]
pub struct NewSecret<'a> {
    /// The URL that receives the messages.
    url: &'a str,
    /// The secret that signs: `whsec_` and 32 bytes in base64.
    secret: &'a str,
    #[serde(flatten)]
    state: State,
}

impl Store {
    /// A page of an endpoint's deliveries, newest first. 1 RRU, plus 0.5 RRU per 4 KB.
    ///
    /// # Errors
    /// 404 when there is no endpoint; 400 when the page's parameters are invalid.
    pub async fn page(
        &self,
        place: &Place,
        page: &Page,
        clock: &Clock,
    ) -> Result<(Next, Json<Deliveries>)> {
        let (after, limit) = (page.after::<DeliveryId>()?, page.limit()?);
        self.webhook(place).await?.ok_or_else(no_webhook)?;
        let (found, has_more) = self.deliveries(place, after.as_ref(), limit, clock.now()).await?;
        let next_cursor = found.last().filter(|_| has_more).map(|last| cursor(&last.id));
        let deliveries = found.into_iter().map(Shown::from).collect();
        Ok((page.next(next_cursor.as_ref()), Json(Deliveries { deliveries, next_cursor })))
    }

    /// Sends a message again under the same id, whatever its outcome, by a job in `queue`. 2 RRU, 1 WRU.
    ///
    /// Needs no `Idempotency-Key`: if the request is repeated, the receiver gets one more copy and
    /// recognises it by its id.
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
            return Err(Problem::of(WEBHOOK_DISABLED).detail("Put it again to enable it.").into());
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
        // Send the job first: without a job, the delivery would be `pending` forever. The job writes the
        // log if this function does not.
        queue.send(&job).await?;
        // If the write fails, an attempt was faster, and the log has its result.
        self.put(place, &again, seen.revision, now).await?;
        tracing::info!(delivery_id = %id, "delivery queued for a resend");
        Ok((StatusCode::ACCEPTED, Json(again.into())))
    }

    /// Creates a new secret for an endpoint. The old secret signs too, for a day. One transaction writes
    /// the change and the response with the secret, so that a repeated request gets the same response for
    /// as long as responses are kept. 1 RRU, 4 WRU.
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
