use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::delivery::{Attempt, Delivery, DeliveryId, KEPT, Subject};
use super::endpoint::{FAILING_FOR, Webhook};
use crate::table::{self, Item, Table, key, number, string, text, value};
use crate::write::{self, Written};
use crate::{Result, conflict};

/// The prefix of the sort keys of deliveries.
const DELIVERY: &str = "DELIVERY#";
/// Condition: the webhook exists and is the one that was read.
const WITH_GENERATION: &str = "webhook.generation = :generation";
/// The same condition for an item of an earlier version.
const WITHOUT_GENERATION: &str =
    "attribute_exists(webhook.secret) AND attribute_not_exists(webhook.generation)";

const SET_FAILED: &str = "SET webhook.failed_at = if_not_exists(webhook.failed_at, :at)";

/// The keys of an endpoint and its deliveries in the system's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The partition and the sort key of the item with the attribute `webhook`.
    pub endpoint: (String, String),
    /// The partition of the deliveries. Their sort keys are `DELIVERY#<id>`.
    pub deliveries: String,
}

/// The state of endpoints and the log of deliveries, in a system's table. The
/// table has the TTL attribute `expires`.
#[derive(Clone, Debug)]
pub struct Store {
    table: Table,
}

/// The part of an endpoint's item that this module needs.
#[derive(Deserialize)]
struct Holder {
    webhook: Option<Webhook>,
}

/// The item of a delivery.
#[derive(Deserialize)]
struct Stored {
    #[serde(flatten)]
    delivery: Delivery,
    expires: i64,
}

/// A delivery as read. The item may exist although it has expired.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) delivery: Option<Delivery>,
    pub(super) revision: u64,
}

impl Store {
    /// The store in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// The endpoint, if it exists. 1 RRU per 4 KB of its item.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn webhook(&self, place: &Place) -> Result<Option<Webhook>> {
        let holder: Option<Holder> = self.table.get(endpoint_key(place)).await?;
        Ok(holder.and_then(|holder| holder.webhook))
    }

    /// The write that replaces the secret of `before` by the secret of `after`. It fails if the stored
    /// secret is no longer that of `before`. 2 WRU, in a transaction.
    ///
    /// # Errors
    /// When the write cannot be built.
    pub(super) fn rotation(
        &self,
        place: &Place,
        before: &Webhook,
        after: &Webhook,
    ) -> Result<TransactWriteItem> {
        let update = self
            .table
            .updating(endpoint_key(place))
            .update_expression("SET webhook.secret = :after, webhook.old_secrets = :old")
            .condition_expression("webhook.secret = :before")
            .expression_attribute_values(":before", string(before.secret.expose_secret()))
            .expression_attribute_values(":after", string(after.secret.expose_secret()))
            .expression_attribute_values(":old", value(&after.old_secrets)?);
        table::update(update)
    }

    /// Disables the endpoint because its receiver answered 410. Returns whether it is disabled now. 1 WRU.
    /// Here and below: no write if the endpoint was put again or removed since it was read as `webhook`.
    pub(super) async fn gone(
        &self,
        place: &Place,
        webhook: &Webhook,
        at: Timestamp,
    ) -> Result<bool> {
        let update = self.state(
            place,
            webhook,
            "SET webhook.gone_at = if_not_exists(webhook.gone_at, :at)",
            None,
        );
        made("webhook.gone", update.expression_attribute_values(":at", text(at))).await
    }

    /// Records the first failure since the last success. Returns the time since when deliveries fail.
    /// 1 WRU if `webhook` has no recorded failure.
    pub(super) async fn failed(
        &self,
        place: &Place,
        webhook: &Webhook,
        at: Timestamp,
    ) -> Result<Timestamp> {
        if let Some(since) = webhook.failing_since {
            return Ok(since);
        }
        let set = "SET webhook.failing_since = if_not_exists(webhook.failing_since, :at)";
        let update = self.state(place, webhook, set, None);
        made("webhook.failed", update.expression_attribute_values(":at", text(at))).await?;
        Ok(at)
    }

    /// Records that a delivery succeeded at `at`. 1 RRU, plus 1 WRU if there were failures.
    pub(super) async fn succeeded(&self, place: &Place, at: Timestamp) -> Result<()> {
        // Read again, because a concurrent delivery may have failed since.
        let Some(webhook) = self.webhook(place).await? else { return Ok(()) };
        let Some(since) = webhook.failing_since.filter(|since| *since <= at) else {
            return Ok(());
        };
        let update = self.state(place, &webhook, "REMOVE webhook.failing_since", Some(since));
        made("webhook.succeeded", update).await?;
        Ok(())
    }

    /// Disables an endpoint if its deliveries have failed for long enough. Returns whether it is
    /// disabled now. 1 WRU if so.
    pub(super) async fn disable(
        &self,
        place: &Place,
        webhook: &Webhook,
        since: Timestamp,
        at: Timestamp,
    ) -> Result<bool> {
        if at < since + FAILING_FOR {
            return Ok(false);
        }
        // The write fails if a delivery has succeeded since the endpoint was read.
        let update = self.state(place, webhook, SET_FAILED, Some(since));
        made("webhook.disable", update.expression_attribute_values(":at", text(at))).await
    }

    /// An update of the endpoint that was read as `webhook`, if its `failing_since` is still `since`.
    fn state(
        &self,
        place: &Place,
        webhook: &Webhook,
        update: &str,
        since: Option<Timestamp>,
    ) -> UpdateItemFluentBuilder {
        let mut condition = match webhook.generation {
            Some(_) => WITH_GENERATION,
            None => WITHOUT_GENERATION,
        }
        .to_owned();
        if since.is_some() {
            condition.push_str(" AND webhook.failing_since = :since");
        }
        self.table
            .update(endpoint_key(place))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(
                webhook
                    .generation
                    .iter()
                    .map(|generation| (":generation".to_owned(), string(generation)))
                    .chain(since.map(|since| (":since".to_owned(), text(since))))
                    .collect(),
            ))
    }

    /// A delivery that has not expired by `now`. 1 RRU.
    pub(super) async fn delivery(
        &self,
        place: &Place,
        id: &DeliveryId,
        now: Timestamp,
    ) -> Result<Seen> {
        let stored: Option<Stored> = self.table.get(delivery_key(place, id)).await?;
        Ok(stored.map_or_else(Seen::default, |Stored { delivery, expires }| Seen {
            revision: delivery.revision,
            delivery: Some(delivery).filter(|_| now.as_second() < expires),
        }))
    }

    /// Records an attempt once: see [`Delivery::after`]. 1 WRU, plus 1 RRU and 1 WRU for each concurrent
    /// attempt of the same message.
    pub(super) async fn record(
        &self,
        place: &Place,
        subject: &Subject,
        seen: &Seen,
        attempt: &Attempt,
    ) -> Result<()> {
        if self.try_record(place, subject, seen, attempt).await? {
            return Ok(());
        }
        conflict::retried(|| async {
            let seen = self.delivery(place, &subject.id, attempt.at).await?;
            Ok(self.try_record(place, subject, &seen, attempt).await?.then_some(()))
        })
        .await
    }

    /// Returns whether nothing is left to record.
    async fn try_record(
        &self,
        place: &Place,
        subject: &Subject,
        seen: &Seen,
        attempt: &Attempt,
    ) -> Result<bool> {
        let next = match &seen.delivery {
            Some(delivery) => delivery.after(attempt),
            // The revision of an expired item continues.
            None => Some(Delivery::first(
                subject.clone(),
                &Attempt { seen: seen.revision, ..attempt.clone() },
            )),
        };
        let Some(next) = next else { return Ok(true) };
        self.put(place, &next, seen.revision, attempt.at).await
    }

    /// Replaces the delivery of revision `before`. Returns `false` if the stored revision is another.
    pub(super) async fn put(
        &self,
        place: &Place,
        delivery: &Delivery,
        before: u64,
        now: Timestamp,
    ) -> Result<bool> {
        let expires = (now + KEPT).as_second();
        let put = self
            .table
            .put(delivery_key(place, &delivery.id), delivery)?
            .item("expires", number(expires))
            .condition_expression("attribute_not_exists(pk) OR revision = :before")
            .expression_attribute_values(":before", number(before));
        Ok(matches!(write::send("webhook.record", put).await?, Written::Made(_)))
    }

    /// Up to `limit` deliveries after `after` that have not expired by `now`, newest first, and whether
    /// there are more. 0.5 RRU per 4 KB.
    pub(super) async fn deliveries(
        &self,
        place: &Place,
        after: Option<&DeliveryId>,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Delivery>, bool)> {
        let query = self
            .table
            .query(&place.deliveries, DELIVERY)
            .filter_expression("expires > :now")
            .expression_attribute_values(":now", number(now.as_second()))
            .scan_index_forward(false)
            .set_exclusive_start_key(after.map(|id| delivery_key(place, id)));
        Table::page(query, limit).await
    }
}

/// Sends an update. Returns `false` if its condition fails.
async fn made(name: &'static str, update: UpdateItemFluentBuilder) -> Result<bool> {
    Ok(matches!(write::send(name, update).await?, Written::Made(_)))
}

fn endpoint_key(place: &Place) -> Item {
    let (pk, sk) = &place.endpoint;
    key(pk, sk)
}

fn delivery_key(place: &Place, id: &DeliveryId) -> Item {
    key(&place.deliveries, format!("{DELIVERY}{id}"))
}
