//! Budgets: how much a subject may use in a day, counted exactly over all instances.
//!
//! **Guarantees.** Of all who [take](Budgets::take) from a budget at the same moment, as many get what they
//! ask for as the limit allows, and no more: a taking is one conditional write. A day is a day of UTC. What
//! was taken and not used is given back once by [`Budgets::settle`]. A worker that dies in between leaves
//! its taking counted: a budget is never exceeded, and may be used up too early.
//! What was used without asking is counted once for each name by [`Budgets::count`], and may exceed the
//! limit; then nobody can take more.
//!
//! The item: `id` is `budget#<subject>#<day>`, with an attribute for each budget, which has its name and
//! how much is used (N); `expiration` (N, epoch seconds) is the TTL attribute. An item
//! `counted#<name>` says that something was counted.
//!
//! **Cost.** 2 WRU for each taking or settling, 4 for each counting.

use std::fmt::Write;
use std::time::Duration;

use crate::Result;
use crate::clock::Clock;
use crate::http::StatusCode;
use crate::id::{Id, Ids, Kind};
use crate::problem::Problem;
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
/// How long an item is kept after its day: longer than anything is delivered again that was counted.
const KEPT: i64 = 31 * DAY;

/// How much may be used in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What is used, for the item's attribute and the answer: letters, digits and hyphens.
    pub name: &'static str,
    /// How much, in a day of UTC.
    pub limit: u64,
}

/// How much is to be used of a budget.
pub type Use = (Budget, u64);

/// Counts.
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

/// What was taken, to be settled when it is known how much was used.
#[derive(Clone, Debug)]
pub struct Taken {
    id: Id<TakingKind>,
    item: String,
    budget: Budget,
    amount: u64,
}

/// A budget does not have what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The budget.
    pub budget: Budget,
    /// How much was asked for.
    pub amount: u64,
    /// How much is used.
    pub used: u64,
    /// When this was found out.
    pub at: Timestamp,
}

impl Budgets {
    /// Counts in `table`, whose partition key is `id`.
    #[must_use]
    pub fn new(client: Client, table: String, clock: Clock) -> Self {
        Self { client, table, ids: Ids::random(clock.clone()), clock }
    }

    /// The write that takes `uses`, all of them or none, for a transaction of the caller's. It is refused
    /// with the item as it is, which says which limit was met.
    ///
    /// # Errors
    /// When the write cannot be built.
    pub fn taking(&self, subject: &str, uses: &[Use], now: Timestamp) -> Result<TransactWriteItem> {
        let (mut add, mut condition) = (String::new(), String::new());
        let mut update = self.update(&item_id(subject, now), now);
        for (index, (budget, amount)) in uses.iter().enumerate() {
            let separator = if index == 0 { ("", "") } else { (", ", " AND ") };
            write!(add, "{}#b{index} :a{index}", separator.0)?;
            // What is over the limit by itself is refused though nothing is used yet.
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

    /// Takes `amount` of `budget`.
    ///
    /// # Errors
    /// When DynamoDB does not answer. The amount may be taken nevertheless.
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

    /// Counts `used` in place of what was taken. Settling twice is settling once.
    ///
    /// # Errors
    /// When DynamoDB does not answer; then what was taken may stay counted.
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

    /// Counts what was used already, whatever the limits are; under the same `once`, a single time.
    ///
    /// # Errors
    /// When DynamoDB does not answer. It can be counted again.
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
        // Refused, it was counted before.
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

/// The first of what is `wanted` that a budget does not have, by the item as it was when a taking was refused.
#[must_use]
pub fn exceeded(wanted: &[Use], item: Option<&Item>, now: Timestamp) -> Option<Exceeded> {
    wanted.iter().find_map(|(budget, amount)| {
        let used = used(item, *budget);
        let is_exceeded = used.saturating_add(*amount) > budget.limit;
        is_exceeded.then_some(Exceeded { budget: *budget, amount: *amount, used, at: now })
    })
}

impl Exceeded {
    /// When the budget is whole again: the next midnight of UTC.
    #[must_use]
    pub fn renewed_at(&self) -> Timestamp {
        Timestamp::from_second(renewed_at(self.at)).unwrap_or(Timestamp::MAX)
    }
}

impl From<Exceeded> for Problem {
    /// 429 with `Retry-After` and the `RateLimit` headers; the detail has the budget's name, its limit, what
    /// is used and when it is renewed.
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
            Self::new(StatusCode::TOO_MANY_REQUESTS, "budget-exceeded", "A budget is used up")
                .detail(detail)
                .header(RETRY_AFTER, HeaderValue::from(seconds));
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

/// When a day of UTC is over, in epoch seconds.
fn renewed_at(now: Timestamp) -> i64 {
    (now.as_second().div_euclid(DAY) + 1) * DAY
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_budget_is_renewed_at_midnight_and_its_answer_says_all() {
        let at: Timestamp = "2026-11-25T23:59:58.5Z".parse().unwrap();
        let budget = Budget { name: "pages", limit: 100 };
        let refused = exceeded(&[(budget, 5)], None, at);
        assert_eq!(refused, None, "there is enough");
        let item = HashMap::from([("pages".to_owned(), number(97))]);
        let refused = exceeded(&[(budget, 5)], Some(&item), at).unwrap();
        assert_eq!(refused.renewed_at().to_string(), "2026-11-26T00:00:00Z");
        let said = serde_json::to_value(Problem::from(refused)).unwrap();
        assert_eq!(said["type"], "urn:problem-type:arsenal:budget-exceeded");
        for part in ["\"pages\" is 100", "97 are used", "needs 5", "2026-11-26T00:00:00Z"] {
            assert!(said["detail"].as_str().unwrap().contains(part), "{said}");
        }
    }
}
