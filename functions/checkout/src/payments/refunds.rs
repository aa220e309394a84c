//! What the provider has of money that went back: refunds
//! (<https://docs.stripe.com/api/refunds/object>) and disputes
//! (<https://docs.stripe.com/api/disputes/object>).

use std::collections::HashMap;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::stripe::{ORDER, PAGE, Page, Stripe};
use super::{PaymentError, currency};
use crate::money::{Currency, Money};
use crate::order::{DisputeStatus, Funds, OrderId, PaymentId, RefundId};

/// The field of a refund that says which of ours it is.
pub(super) const REFUND: &str = "refund_id";

/// A refund, as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// The provider's id of it.
    pub id: String,
    /// Ours, which it was given.
    pub refund: Option<RefundId>,
    /// How it stands.
    pub status: RefundState,
    /// Why it failed, in the provider's words.
    pub failure: Option<String>,
    /// How much, in minor units.
    pub amount: u64,
}

/// How a refund stands, in Stripe's words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// The provider has not sent the money yet, or the bank has not taken it.
    Pending,
    /// The customer has to say where the money goes.
    RequiresAction,
    /// The money went back.
    Succeeded,
    /// It did not, or has returned.
    Failed,
    /// It was given up before the money moved.
    Canceled,
    /// A word that this code does not know. Nothing is decided by it.
    #[serde(untagged)]
    Unknown(Option<String>),
}

impl Refunded {
    /// The code of one that has failed, or was given up.
    #[must_use]
    pub fn code(&self) -> String {
        let state = if self.status == RefundState::Canceled { "canceled" } else { "failed" };
        self.failure.clone().unwrap_or_else(|| state.into())
    }
}

/// A dispute, as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disputed {
    /// The provider's id of it.
    pub id: String,
    /// How it stands; the word itself if this code does not know it.
    pub status: Result<DisputeStatus, String>,
    /// Where the money is.
    pub funds: Funds,
    /// How much is disputed.
    pub amount: u64,
    /// How much was given back, if the provider's books are in the same currency: of a payment that was
    /// refunded in part, a part of what a dispute withdrew.
    pub reinstated: Option<u64>,
    /// In this currency.
    pub currency: Currency,
}

#[derive(Deserialize)]
struct RefundObject {
    id: String,
    amount: u64,
    status: RefundState,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct DisputeObject {
    id: String,
    amount: u64,
    currency: String,
    status: String,
    #[serde(default)]
    balance_transactions: Vec<Moved>,
}

/// What a dispute has moved: less than nothing when the money was withdrawn, more when it came back.
#[derive(Deserialize)]
struct Moved {
    amount: i64,
    #[serde(default)]
    currency: Option<String>,
}

trait Listed {
    fn id(&self) -> &str;
}

impl Listed for RefundObject {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for DisputeObject {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Stripe {
    /// Sends money back.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn refund(
        &self,
        (order, payment): (OrderId, &PaymentId),
        (refund, amount): (RefundId, Money),
        key: &str,
    ) -> Result<Refunded, PaymentError> {
        let form = [
            ("payment_intent", payment.0.clone()),
            ("amount", amount.amount.to_string()),
            (&*format!("metadata[{REFUND}]"), refund.to_string()),
            (&*format!("metadata[{ORDER}]"), order.to_string()),
        ];
        let request = self.post("/v1/refunds", key).form(&form);
        Ok(self.send::<RefundObject>(request).await?.into())
    }

    /// The refunds that the provider has of a payment, the newest first.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn refunds(&self, payment: &PaymentId) -> Result<Vec<Refunded>, PaymentError> {
        let refunds: Vec<RefundObject> = self.all("/v1/refunds", payment).await?;
        Ok(refunds.into_iter().map(Refunded::from).collect())
    }

    /// The disputes that the provider has of a payment.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn disputes(&self, payment: &PaymentId) -> Result<Vec<Disputed>, PaymentError> {
        let disputes: Vec<DisputeObject> = self.all("/v1/disputes", payment).await?;
        disputes.into_iter().map(Disputed::try_from).collect()
    }

    /// All objects of a payment's, page by page.
    async fn all<T: DeserializeOwned + Listed>(
        &self,
        path: &str,
        payment: &PaymentId,
    ) -> Result<Vec<T>, PaymentError> {
        let mut all: Vec<T> = Vec::new();
        loop {
            let mut query =
                vec![("payment_intent", payment.0.clone()), ("limit", PAGE.to_string())];
            query.extend(all.last().map(|last| ("starting_after", last.id().to_owned())));
            let request = self.request(Method::GET, path).query(&query);
            let page: Page<T> = self.send(request).await?;
            let has_more = page.has_more && !page.data.is_empty();
            all.extend(page.data);
            if !has_more {
                return Ok(all);
            }
        }
    }
}

impl From<RefundObject> for Refunded {
    fn from(object: RefundObject) -> Self {
        let metadata = object.metadata.unwrap_or_default();
        Self {
            id: object.id,
            refund: metadata.get(REFUND).and_then(|id| id.parse().ok()),
            status: object.status,
            failure: object.failure_reason,
            amount: object.amount,
        }
    }
}

impl TryFrom<DisputeObject> for Disputed {
    type Error = PaymentError;

    fn try_from(object: DisputeObject) -> Result<Self, PaymentError> {
        let known = DisputeStatus::ALL.into_iter().find(|(name, _)| *name == object.status);
        let is_there =
            |sign: i64| object.balance_transactions.iter().any(|it| it.amount.signum() == sign);
        let funds = match (is_there(-1), is_there(1)) {
            (false, _) => Funds::Untouched,
            (true, false) => Funds::Withdrawn,
            (true, true) => Funds::Reinstated,
        };
        let given_back = object.balance_transactions.iter().filter(|it| it.amount > 0);
        let in_its_currency = given_back
            .clone()
            .all(|it| it.currency.as_ref().is_none_or(|it| *it == object.currency));
        let given_back: u64 = given_back.map(|it| it.amount.unsigned_abs()).sum();
        Ok(Self {
            reinstated: (funds == Funds::Reinstated && in_its_currency).then_some(given_back),
            id: object.id,
            status: known.map(|(_, status)| status).ok_or(object.status),
            funds,
            amount: object.amount,
            currency: currency(&object.currency)?,
        })
    }
}
