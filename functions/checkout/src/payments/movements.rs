//! The provider's balance transactions
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

/// Reporting categories that do not concern a customer's payment.
const ACCOUNT_CATEGORIES: [&str; 11] = [
    "fee",
    "network_cost",
    // The part of an authorisation that was not captured. The charge has the captured amount.
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

/// A movement of money at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderMovement {
    /// The provider's id of the balance transaction.
    pub id: String,
    /// The kind of the movement.
    pub kind: Kind,
    /// The provider's id of the source: a charge, a refund or a dispute.
    pub source: String,
    /// The amount, in the currency that the customer pays in.
    pub money: Money,
    /// The payment.
    pub payment: Option<PaymentId>,
    /// The order, if the provider's metadata names it.
    pub order: Option<OrderId>,
    /// Our refund, if the provider's metadata names it.
    pub refund: Option<RefundId>,
}

/// Why the provider moved money: Stripe's `reporting_category`
/// (<https://docs.stripe.com/reports/reporting-categories>).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A payment was captured.
    Charge,
    /// Money was refunded.
    Refund,
    /// A refund was returned to us.
    RefundFailure,
    /// The provider withdrew money for a dispute.
    Dispute,
    /// The provider returned the money of a dispute to us.
    DisputeReversal,
    /// A movement of the account itself: a fee, a payout and so on.
    OfTheAccount,
    /// An unknown category or currency. The value describes it.
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
            known if ACCOUNT_CATEGORIES.contains(&known) => Self::OfTheAccount,
            _ => Self::Unknown(category),
        }
    }
}

/// A time window of movements. Both ends are included.
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

/// The source of a movement. It can be one of many types of objects, so every field is optional.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    id: String,
    currency: Option<String>,
    // Negative for a payout that takes money from the bank.
    amount: Option<i64>,
    amount_captured: Option<u64>,
    payment_intent: Option<PaymentId>,
    metadata: Option<HashMap<String, String>>,
}

impl Stripe {
    /// One page of up to 100 movements in the window, newest first, and whether there are more. `after` is
    /// the last movement of the previous page.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn movements(
        &self,
        window: Window,
        after: Option<&str>,
    ) -> Result<(Vec<ProviderMovement>, bool), PaymentError> {
        let mut query = vec![
            ("created[gte]", window.from.as_second().to_string()),
            ("created[lte]", window.to.as_second().to_string()),
            ("limit", PAGE.to_string()),
            ("expand[]", "data.source".to_owned()),
        ];
        query.extend(after.map(|after| ("starting_after", after.to_owned())));
        let request = self.request(Method::GET, "/v1/balance_transactions").query(&query);
        let page: Page<BalanceTransaction> = self.send(request).await?;
        let moved =
            page.data.into_iter().map(ProviderMovement::try_from).collect::<Result<Vec<_>, _>>()?;
        let has_more = page.has_more && !moved.is_empty();
        Ok((moved, has_more))
    }
}

impl TryFrom<BalanceTransaction> for ProviderMovement {
    type Error = PaymentError;

    fn try_from(transaction: BalanceTransaction) -> Result<Self, PaymentError> {
        let source = transaction.source.unwrap_or_default();
        // The account may settle in another currency than the customer's, and a capture may be partial. Both
        // amounts are in the source.
        let is_converted =
            source.currency.as_ref().is_some_and(|code| *code != transaction.currency);
        let converted = source.amount.filter(|_| is_converted).map(i64::unsigned_abs);
        let of_source = source.amount_captured.or(converted);
        let (amount, code) = match (of_source, &source.currency) {
            (Some(amount), Some(code)) => (amount, code),
            _ => (transaction.amount.unsigned_abs(), &transaction.currency),
        };
        let (money, kind) = match currency(code) {
            Ok(currency) => {
                (Money::new(amount, currency), Kind::of(transaction.reporting_category))
            }
            // An error here would block all later movements.
            Err(_) => {
                (Money::new(amount, no_currency()?), Kind::Unknown(format!("money in {code}")))
            }
        };
        let mut metadata = source.metadata.unwrap_or_default();
        let (order, refund) = (metadata.remove(ORDER), metadata.remove(REFUND));
        Ok(Self {
            id: transaction.id,
            kind,
            source: source.id,
            money,
            payment: source.payment_intent,
            order: order.and_then(|order| order.parse().ok()),
            refund: refund.and_then(|refund| refund.parse().ok()),
        })
    }
}

/// The ISO 4217 code for "no currency".
fn no_currency() -> Result<Currency, PaymentError> {
    currency("XXX")
}
