//! Budgets: limits on the use of a subject in a day, exact over all instances.
//!
//! **Guarantees.** Concurrent calls of [`Budgets::take`] never take more than the limit together: each is
//! one conditional write. A day is a day of UTC. [`Budgets::settle`] returns the unused part of the
//! taken amount, once. If a worker crashes before that, the whole amount stays counted: a budget is never
//! exceeded, but may be used up too early. [`Budgets::count`] counts use after the fact, once for each
//! name. It may exceed the limit; then nobody can take more.
//!
//! The item: `id` is `budget#<subject>#<day>`. Each budget is an attribute (N): its name is the budget's
//! name and its value is the used amount. `expiration` (N, epoch seconds) is the TTL attribute. An item
//! `counted#<name>` records that the use with that name is counted.
//!
//! **Cost.** 2 WRU for each `take` or `settle`, 4 for each `count`.

use std::fmt::Write;
use std::time::Duration;

use crate::Result;
use crate::clock::Clock;
use crate::http::StatusCode;
use crate::id::{Id, Ids, Kind};
use crate::problem::{Problem, ProblemType};
use crate::table::{self, Item, number};
use crate::transaction::{self, Sent};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
    Update,
};
use jiff::Timestamp;

/// The seconds of a day.
const DAY: i64 = 86_400;
/// 429: a budget is used up until it is renewed.
pub const EXCEEDED: ProblemType =
    ProblemType::new(StatusCode::TOO_MANY_REQUESTS, "budget-exceeded", "A budget is used up");
/// How long an item is kept after its day, in seconds: longer than any counted event can be redelivered.
const KEPT: i64 = 31 * DAY;

/// A daily limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The name, in the item's attribute and in the response: letters, digits and hyphens.
    pub name: &'static str,
    /// The maximum amount in a day of UTC.
    pub limit: u64,
}

/// A budget and the amount to use of it.
pub type Use = (Budget, u64);

/// Counts the use of budgets in a table.
#[derive(Clone, Debug)]
pub struct Budgets {
    client: Client,
    table: String,
    clock: Clock,
    ids: Ids,
}

#[derive(Debug)]
enum TakingKind {}
impl Kind for TakingKind {
    const PREFIX: &'static str = "use";
}

/// An amount that is taken. Settle it with [`Budgets::settle`] when the used amount is known.
#[derive(Clone, Debug)]
pub struct Taken {
    id: Id<TakingKind>,
    item: String,
    budget: Budget,
    amount: u64,
}

/// The error when a budget has less left than the requested amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The budget.
    pub budget: Budget,
    /// The requested amount.
    pub amount: u64,
    /// The used amount.
    pub used: u64,
    /// The time of the request.
    pub at: Timestamp,
}

impl Budgets {
    /// Keeps the counts in `table`, whose partition key is `id`.
    #[must_use]
    pub fn new(client: Client, table: String, clock: Clock) -> Self {
        Self { client, table, ids: Ids::random(clock.clone()), clock }
    }

    /// The write that takes all of `uses` or none, for the caller's transaction. If it is refused,
    /// DynamoDB returns the item; [`exceeded`] finds the exceeded budget in it.
    ///
    /// # Errors
    /// When the write cannot be built.
    pub fn taking(&self, subject: &str, uses: &[Use], now: Timestamp) -> Result<TransactWriteItem> {
        let (mut add, mut condition) = (String::new(), String::new());
        let mut update = self.update(&item_id(subject, now), now);
        for (index, (budget, amount)) in uses.iter().enumerate() {
            let separator = if index == 0 { ("", "") } else { (", ", " AND ") };
            write!(add, "{}#b{index} :a{index}", separator.0)?;
            // An amount above the limit is refused even if nothing is used yet.
            let fits = budget.limit >= *amount;
            let unused =
                if fits { format!("attribute_not_exists(#b{index}) OR ") } else { String::new() };
            write!(condition, "{}({unused}#b{index} <= :m{index})", separator.1)?;
            let most = i128::from(budget.limit) - i128::from(*amount);
            update = update
                .expression_attribute_names(format!("#b{index}"), budget.name)
                .expression_attribute_values(format!(":a{index}"), number(*amount))
                .expression_attribute_values(format!(":m{index}"), number(most));
        }
        let update = update
            .update_expression(format!("ADD {add} SET #expiration = :expiration"))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        table::update(update)
    }

    /// Takes `amount` of `budget`, or returns [`Exceeded`] if less is left. 2 WRU.
    ///
    /// # Errors
    /// When DynamoDB does not answer. The amount may still be taken.
    pub async fn take(
        &self,
        subject: &str,
        (budget, amount): Use,
    ) -> Result<Result<Taken, Exceeded>> {
        let (now, id) = (self.clock.now(), self.ids.next());
        let write = self.taking(subject, &[(budget, amount)], now)?;
        match transaction::send("budget.take", &self.client, &id.to_string(), vec![write]).await? {
            Sent::Made => Ok(Ok(Taken { id, item: item_id(subject, now), budget, amount })),
            Sent::Refused { item, .. } => {
                Ok(Err(Exceeded { budget, amount, used: used(item.as_ref(), budget), at: now }))
            }
        }
    }

    /// Replaces the taken amount by `used`. Idempotent, for the 10 minutes of a DynamoDB client request
    /// token.
    ///
    /// # Errors
    /// When DynamoDB does not answer. Then the taken amount may stay counted.
    pub async fn settle(&self, taken: &Taken, used: u64) -> Result<()> {
        let difference = i128::from(used) - i128::from(taken.amount);
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(taken.item.clone()))
            .update_expression("ADD #used :difference")
            .expression_attribute_names("#used", taken.budget.name)
            .expression_attribute_values(":difference", number(difference));
        let request = format!("{}-s", taken.id);
        let writes = vec![table::update(update)?];
        transaction::send("budget.settle", &self.client, &request, writes).await?;
        Ok(())
    }

    /// Adds amounts that are already used, without a check of limits. Calls with the same `once` count a
    /// single time.
    ///
    /// # Errors
    /// When DynamoDB does not answer. It is safe to retry.
    pub async fn count(&self, subject: &str, uses: &[(&str, u64)], once: &str) -> Result<()> {
        let now = self.clock.now();
        let mut update = self.update(&item_id(subject, now), now);
        let mut add = Vec::new();
        for (index, (name, amount)) in uses.iter().enumerate() {
            add.push(format!("#b{index} :a{index}"));
            update = update
                .expression_attribute_names(format!("#b{index}"), *name)
                .expression_attribute_values(format!(":a{index}"), number(*amount));
        }
        let update = update
            .update_expression(format!("ADD {} SET #expiration = :expiration", add.join(", ")));
        let marker = Put::builder()
            .table_name(&self.table)
            .item("id", AttributeValue::S(format!("counted#{once}")))
            .item("expiration", number(renewed_at(now) + KEPT))
            .condition_expression("attribute_not_exists(id)");
        let marker = table::put(marker)?;
        let token = self.ids.next::<TakingKind>().to_string();
        let writes = vec![marker, table::update(update)?];
        // A refusal means that it is already counted.
        transaction::send("budget.count", &self.client, &token, writes).await?;
        Ok(())
    }

    fn update(
        &self,
        item: &str,
        now: Timestamp,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(item.to_owned()))
            .expression_attribute_names("#expiration", "expiration")
            .expression_attribute_values(":expiration", number(renewed_at(now) + KEPT))
    }
}

/// The first of the `wanted` uses that exceeds its budget. `item` is the item that the refused write
/// returned.
#[must_use]
pub fn exceeded(wanted: &[Use], item: Option<&Item>, now: Timestamp) -> Option<Exceeded> {
    wanted.iter().find_map(|(budget, amount)| {
        let used = used(item, *budget);
        let is_exceeded = used.saturating_add(*amount) > budget.limit;
        is_exceeded.then_some(Exceeded { budget: *budget, amount: *amount, used, at: now })
    })
}

impl Exceeded {
    /// When the budget is renewed: the next midnight of UTC.
    #[must_use]
    pub fn renewed_at(&self) -> Timestamp {
        Timestamp::from_second(renewed_at(self.at)).unwrap_or(Timestamp::MAX)
    }
}

impl From<Exceeded> for Problem {
    /// 429 with `Retry-After` and the `RateLimit` headers. The detail has the budget's name, its limit, the
    /// used amount and the time of renewal.
    fn from(exceeded: Exceeded) -> Self {
        use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
        let Exceeded { budget: Budget { name, limit }, amount, used, at } = exceeded;
        let renewed_at = exceeded.renewed_at();
        let seconds = Duration::try_from(renewed_at.duration_since(at)).unwrap_or_default();
        let seconds = seconds.as_secs() + u64::from(seconds.subsec_nanos() > 0);
        let left = limit.saturating_sub(used);
        let detail = format!(
            "The budget {name:?} is {limit} a day. {used} are used, and this request needs {amount}. \
             The budget is renewed at {renewed_at}."
        );
        let mut problem =
            Self::of(EXCEEDED).detail(detail).header(RETRY_AFTER, HeaderValue::from(seconds));
        for (header, value) in [
            ("ratelimit-policy", format!("\"{name}\";q={limit};w={DAY}")),
            ("ratelimit", format!("\"{name}\";r={left};t={seconds}")),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                problem = problem.header(HeaderName::from_static(header), value);
            }
        }
        problem
    }
}

fn used(item: Option<&Item>, budget: Budget) -> u64 {
    let used = item.and_then(|item| item.get(budget.name)?.as_n().ok()?.parse().ok());
    used.unwrap_or_default()
}

fn item_id(subject: &str, now: Timestamp) -> String {
    format!("budget#{subject}#{}", now.strftime("%Y-%m-%d"))
}

/// When the day of UTC ends, in epoch seconds.
fn renewed_at(now: Timestamp) -> i64 {
    (now.as_second().div_euclid(DAY) + 1) * DAY
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_budget_is_renewed_at_midnight_and_its_problem_has_all_details() {
        let at: Timestamp = "2026-11-25T23:59:58.5Z".parse().unwrap();
        let budget = Budget { name: "pages", limit: 100 };
        let refused = exceeded(&[(budget, 5)], None, at);
        assert_eq!(refused, None, "enough is left");
        let item = HashMap::from([("pages".to_owned(), number(97))]);
        let refused = exceeded(&[(budget, 5)], Some(&item), at).unwrap();
        assert_eq!(refused.renewed_at().to_string(), "2026-11-26T00:00:00Z");
        let body = serde_json::to_value(Problem::from(refused)).unwrap();
        assert_eq!(body["type"], "/docs/problems/budget-exceeded");
        for part in ["\"pages\" is 100", "97 are used", "needs 5", "2026-11-26T00:00:00Z"] {
            assert!(body["detail"].as_str().unwrap().contains(part), "{body}");
        }
    }
}
