//! The provider's own books: its balance transactions
//! (<https://docs.stripe.com/api/balance_transactions/object>).

use std::collections::HashMap;

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::refunds::REFUND;
use super::stripe::{ORDER, PAGE, Page, Stripe};
use super::{PaymentError, currency};
use crate::money::{Currency, Money};
use crate::order::{OrderId, PaymentId, RefundId};

/// Kinds of movements that are about no payment of a customer's.
const OF_THE_ACCOUNT: [&str; 11] = [
    "fee",
    "network_cost",
    // What was held and not taken: the charge says how much was.
    "partial_capture_reversal",
    "payout",
    "payout_minimum_balance_hold",
    "payout_minimum_balance_release",
    "payout_reversal",
    "risk_reserved_funds",
    "tax",
    "topup",
    "topup_reversal",
];

/// The provider has moved money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The provider's id of the movement.
    pub id: String,
    /// Why it moved.
    pub kind: Kind,
    /// The provider's id of what moved it: a charge, a refund, a dispute.
    pub source: String,
    /// How much, in the currency that the customer pays in.
    pub money: Money,
    /// The payment that it is about.
    pub payment: Option<PaymentId>,
    /// The order that it is about, if the provider says so.
    pub order: Option<OrderId>,
    /// Our refund that it is about, if the provider says so.
    pub refund: Option<RefundId>,
}

/// Why the provider has moved money: the `reporting_category` of Stripe's
/// (<https://docs.stripe.com/reports/reporting-categories>).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A payment was taken.
    Charge,
    /// Money went back.
    Refund,
    /// A refund came back.
    RefundFailure,
    /// A dispute has withdrawn money.
    Dispute,
    /// A dispute has given it back to us.
    DisputeReversal,
    /// The account's own: fees, payouts and so on.
    OfTheAccount,
    /// A word that this code does not know.
    Unknown(String),
}

impl Kind {
    fn of(category: String) -> Self {
        match category.as_str() {
            "charge" => Self::Charge,
            "refund" => Self::Refund,
            "refund_failure" => Self::RefundFailure,
            "dispute" => Self::Dispute,
            "dispute_reversal" => Self::DisputeReversal,
            known if OF_THE_ACCOUNT.contains(&known) => Self::OfTheAccount,
            _ => Self::Unknown(category),
        }
    }
}

/// From when to when movements are looked at, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first second.
    pub from: Timestamp,
    /// The last second.
    pub to: Timestamp,
}

#[derive(Deserialize)]
struct BalanceTransaction {
    id: String,
    amount: i64,
    currency: String,
    reporting_category: String,
    source: Option<Source>,
}

/// What a movement comes from. It may be many kinds of objects: all fields may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    id: String,
    currency: Option<String>,
    // Less than zero for a payout that takes money from the bank.
    amount: Option<i64>,
    amount_captured: Option<u64>,
    payment_intent: Option<PaymentId>,
    metadata: Option<HashMap<String, String>>,
}

impl Stripe {
    /// A page of what the provider has moved, the newest first, and whether there is more. The next page
    /// starts after the movement `after`.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn movements(
        &self,
        window: Window,
        after: Option<&str>,
    ) -> Result<(Vec<Moved>, bool), PaymentError> {
        let mut query = vec![
            ("created[gte]", window.from.as_second().to_string()),
            ("created[lte]", window.to.as_second().to_string()),
            ("limit", PAGE.to_string()),
            ("expand[]", "data.source".to_owned()),
        ];
        query.extend(after.map(|after| ("starting_after", after.to_owned())));
        let request = self.request(Method::GET, "/v1/balance_transactions").query(&query);
        let page: Page<BalanceTransaction> = self.send(request).await?;
        let moved = page.data.into_iter().map(Moved::try_from).collect::<Result<Vec<_>, _>>()?;
        let has_more = page.has_more && !moved.is_empty();
        Ok((moved, has_more))
    }
}

impl TryFrom<BalanceTransaction> for Moved {
    type Error = PaymentError;

    fn try_from(told: BalanceTransaction) -> Result<Self, PaymentError> {
        let source = told.source.unwrap_or_default();
        // The account may be settled in another currency than the customer's, and of what was held a part
        // may be taken.
        let is_converted = source.currency.as_ref().is_some_and(|code| *code != told.currency);
        let converted = source.amount.filter(|_| is_converted).map(i64::unsigned_abs);
        let of_source = source.amount_captured.or(converted);
        let (amount, code) = match (of_source, &source.currency) {
            (Some(amount), Some(code)) => (amount, code),
            _ => (told.amount.unsigned_abs(), &told.currency),
        };
        let (money, kind) = match currency(code) {
            Ok(currency) => (Money::new(amount, currency), Kind::of(told.reporting_category)),
            // One movement must not hold up all that come after it.
            Err(_) => {
                (Money::new(amount, no_currency()?), Kind::Unknown(format!("money in {code}")))
            }
        };
        let mut metadata = source.metadata.unwrap_or_default();
        let (order, refund) = (metadata.remove(ORDER), metadata.remove(REFUND));
        Ok(Self {
            id: told.id,
            kind,
            source: source.id,
            money,
            payment: source.payment_intent,
            order: order.and_then(|order| order.parse().ok()),
            refund: refund.and_then(|refund| refund.parse().ok()),
        })
    }
}

/// The code that ISO 4217 has for what is in no currency.
fn no_currency() -> Result<Currency, PaymentError> {
    currency("XXX")
}
