//! Refunds (<https://docs.stripe.com/api/refunds/object>) and disputes
//! (<https://docs.stripe.com/api/disputes/object>) at the provider.

use std::collections::HashMap;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::stripe::{ORDER, PAGE, Page, Stripe};
use super::{PaymentError, currency};
use crate::money::{Currency, Money};
use crate::order::{DisputeStatus, Funds, OrderId, PaymentId, RefundId};

/// The metadata field of a refund that has our refund id.
pub(super) const REFUND: &str = "refund_id";

/// A refund at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRefund {
    /// The provider's id.
    pub id: String,
    /// Our refund id, if the provider's metadata has it.
    pub refund: Option<RefundId>,
    /// The status.
    pub status: RefundState,
    /// The provider's reason for the failure.
    pub failure: Option<String>,
    /// The amount, in minor units.
    pub amount: u64,
}

/// The status of a refund, with Stripe's names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// The provider has not sent the money yet, or the bank has not accepted it.
    Pending,
    /// The customer must say where the money goes.
    RequiresAction,
    /// The customer has the money.
    Succeeded,
    /// The refund failed, or the bank returned the money.
    Failed,
    /// The refund was cancelled before the money moved.
    Canceled,
    /// An unknown status. It changes nothing.
    #[serde(untagged)]
    Unknown(Option<String>),
}

impl ProviderRefund {
    /// The code of a failed or cancelled refund.
    #[must_use]
    pub fn code(&self) -> String {
        let state = if self.status == RefundState::Canceled { "canceled" } else { "failed" };
        self.failure.clone().unwrap_or_else(|| state.into())
    }
}

/// A dispute at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderDispute {
    /// The provider's id.
    pub id: String,
    /// The status. `Err` has Stripe's name if it is unknown.
    pub status: Result<DisputeStatus, String>,
    /// Where the disputed money is.
    pub funds: Funds,
    /// The disputed amount, in minor units.
    pub amount: u64,
    /// The returned amount, in minor units, if the provider's balance transactions are in the dispute's
    /// currency. If the payment was refunded in part, the provider may return only a part of the withdrawn
    /// amount.
    pub reinstated: Option<u64>,
    /// The currency.
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
    balance_transactions: Vec<DisputeMovement>,
}

/// A movement of a dispute: negative for a withdrawal, positive for a return.
#[derive(Deserialize)]
struct DisputeMovement {
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
    /// Sends a refund. `key` is the request's idempotency key.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn refund(
        &self,
        (order, payment): (OrderId, &PaymentId),
        (refund, amount): (RefundId, Money),
        key: &str,
    ) -> Result<ProviderRefund, PaymentError> {
        let form = [
            ("payment_intent", payment.0.clone()),
            ("amount", amount.amount.to_string()),
            (&*format!("metadata[{REFUND}]"), refund.to_string()),
            (&*format!("metadata[{ORDER}]"), order.to_string()),
        ];
        let request = self.post("/v1/refunds", key).form(&form);
        Ok(self.send::<RefundObject>(request).await?.into())
    }

    /// All refunds of a payment at the provider, newest first.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn refunds(&self, payment: &PaymentId) -> Result<Vec<ProviderRefund>, PaymentError> {
        let refunds: Vec<RefundObject> = self.all("/v1/refunds", payment).await?;
        Ok(refunds.into_iter().map(ProviderRefund::from).collect())
    }

    /// All disputes of a payment at the provider.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn disputes(
        &self,
        payment: &PaymentId,
    ) -> Result<Vec<ProviderDispute>, PaymentError> {
        let disputes: Vec<DisputeObject> = self.all("/v1/disputes", payment).await?;
        disputes.into_iter().map(ProviderDispute::try_from).collect()
    }

    /// Reads all objects of a payment, page by page.
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

impl From<RefundObject> for ProviderRefund {
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

impl TryFrom<DisputeObject> for ProviderDispute {
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
