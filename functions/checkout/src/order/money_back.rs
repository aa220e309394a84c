//! Refunds and disputes of an order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Event, Order, RefundId, State};
use crate::money::Money;

/// The maximum number of refunds of an order that have not failed. It is also the maximum number of failed
/// refunds in the order's item. The history has all of them.
pub const MAX_REFUNDS: usize = 50;
/// The maximum number of found refunds, and of disputes, in the order's item.
pub const MAX_FOUND: usize = 50;

/// A refund of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The amount.
    pub amount: Money,
    /// The status.
    pub status: RefundStatus,
    /// The provider's id, once the provider has the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The provider's code for the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The status of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The outcome is open.
    Pending,
    /// The customer has the money.
    Succeeded,
    /// The refund failed, or the bank returned the money to us.
    Failed,
}

/// A refund at the provider that we did not request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundRefund {
    /// The amount.
    pub amount: Money,
    /// Who made the refund.
    pub origin: Origin,
    /// Whether the bank returned the money to us.
    pub has_failed: bool,
}

/// The origin of a refund that we did not request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundOrigin)]
pub enum Origin {
    /// Somebody made the refund at the provider.
    ByHand,
    /// The provider executed one of our requests twice.
    Doubled,
}

/// A dispute of an order's payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dispute {
    /// The disputed amount.
    pub amount: Money,
    /// The status.
    pub status: DisputeStatus,
    /// Where the disputed money is.
    pub funds: Funds,
    /// The returned amount, if the provider returned only a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinstated: Option<Money>,
    /// Whether the ledger has booked a loss. The bank may still return the money later (a late win).
    #[serde(default)]
    #[schema(required)]
    pub was_lost: bool,
}

impl Dispute {
    /// The amount that the provider returned to us, in minor units.
    #[must_use]
    pub fn returned(&self) -> u64 {
        match self.funds {
            Funds::Untouched | Funds::Withdrawn => 0,
            Funds::Reinstated => self.reinstated.unwrap_or(self.amount).amount,
        }
    }

    /// The amount that the provider has withdrawn and not returned, in minor units.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        match self.funds {
            Funds::Untouched => 0,
            Funds::Withdrawn | Funds::Reinstated => self.amount.amount - self.returned(),
        }
    }

    /// The dispute after a change. `before` is `None` for a new dispute.
    #[must_use]
    pub(crate) fn moved(
        before: Option<&Self>,
        amount: Money,
        (status, funds): (DisputeStatus, Funds),
        reinstated: Option<Money>,
    ) -> Self {
        let is_lost = funds == Funds::Withdrawn && status.is_lost();
        let was_lost = is_lost || before.is_some_and(|before| before.was_lost);
        Self { amount, status, funds, reinstated, was_lost }
    }
}

/// The status of a dispute, with Stripe's names (<https://docs.stripe.com/api/disputes/object>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank made an inquiry. No money has moved.
    WarningNeedsResponse,
    /// The bank reviews the response to its inquiry.
    WarningUnderReview,
    /// The inquiry was closed without a dispute.
    WarningClosed,
    /// The shop must respond.
    NeedsResponse,
    /// The bank reviews the shop's response.
    UnderReview,
    /// The shop has won.
    Won,
    /// The shop has lost.
    Lost,
    /// The inquiry was settled before it became a dispute.
    Prevented,
}

impl DisputeStatus {
    /// All statuses, with Stripe's names.
    pub const ALL: [(&'static str, Self); 8] = [
        ("warning_needs_response", Self::WarningNeedsResponse),
        ("warning_under_review", Self::WarningUnderReview),
        ("warning_closed", Self::WarningClosed),
        ("needs_response", Self::NeedsResponse),
        ("under_review", Self::UnderReview),
        ("won", Self::Won),
        ("lost", Self::Lost),
        ("prevented", Self::Prevented),
    ];

    /// Whether the withdrawn money is lost.
    #[must_use]
    pub fn is_lost(self) -> bool {
        match self {
            // A prevented dispute is settled with the withdrawn money before it becomes a dispute.
            Self::Lost | Self::Prevented => true,
            Self::WarningNeedsResponse
            | Self::WarningUnderReview
            | Self::WarningClosed
            | Self::NeedsResponse
            | Self::UnderReview
            | Self::Won => false,
        }
    }
}

/// Where the disputed money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DisputedFunds)]
pub enum Funds {
    /// The provider has moved no money.
    Untouched,
    /// The provider has withdrawn the money.
    Withdrawn,
    /// The provider has withdrawn the money and returned it to us.
    Reinstated,
}

impl Order {
    /// The captured amount, in minor units. Refunds are not subtracted.
    #[must_use]
    pub fn captured(&self) -> u64 {
        match self.state {
            State::Captured | State::Confirmed => self.placed.total.amount,
            _ => self.captured_by_hand.map_or(0, |taken| taken.amount),
        }
    }

    /// The sum of the successful refunds, in minor units.
    #[must_use]
    pub fn refunded(&self) -> u64 {
        let ours = self.refunds.values().filter(|it| it.status == RefundStatus::Succeeded);
        let ours: u64 = ours.map(|refund| refund.amount.amount).sum();
        ours + self.found_refunded()
    }

    /// The amount that may still be refunded, in minor units. Pending refunds are subtracted.
    #[must_use]
    pub fn refundable(&self) -> u64 {
        let refunded = self.refunds.values().filter(|refund| refund.status != RefundStatus::Failed);
        let refunded: u64 = refunded.map(|refund| refund.amount.amount).sum();
        self.captured().saturating_sub(refunded + self.found_refunded())
    }

    fn found_refunded(&self) -> u64 {
        let refunded = self.found.values().filter(|found| !found.has_failed);
        refunded.map(|found| found.amount.amount).sum()
    }

    /// The number of our refunds that have not failed.
    #[must_use]
    pub fn open_refunds(&self) -> usize {
        self.refunds.values().filter(|refund| refund.status != RefundStatus::Failed).count()
    }

    /// Whether the order only waits for the outcome of a refund at the provider. The sweeper queues such an
    /// order although it has no next step.
    #[must_use]
    pub fn awaits_refund(&self) -> bool {
        self.next().is_none()
            && self.refunds.values().any(|refund| refund.status == RefundStatus::Pending)
    }

    /// The transition table for refunds and disputes of an order that has ended.
    pub(super) fn apply_to_ended(&mut self, event: Event) -> Option<()> {
        match event {
            Event::RefundRequested { refund, amount } => {
                let fits = amount.currency == self.placed.total.currency
                    && (1..=self.refundable()).contains(&amount.amount);
                if !fits || self.refunds.contains_key(&refund) {
                    return None;
                }
                self.refunds.insert(refund, Refund::requested(amount));
            }
            Event::RefundPending { refund, provider_id } => {
                let refund = self.refund_with_status(refund, RefundStatus::Pending)?;
                if refund.provider_id.is_some() {
                    return None;
                }
                refund.provider_id = Some(provider_id);
            }
            Event::RefundSucceeded { refund, provider_id } => {
                let refund = self.refund_with_status(refund, RefundStatus::Pending)?;
                refund.status = RefundStatus::Succeeded;
                refund.provider_id = Some(provider_id);
            }
            Event::RefundFailed { refund, code } => {
                self.refund_with_status(refund, RefundStatus::Pending)?.fail(code);
                self.drop_oldest_failed();
            }
            Event::RefundReversed { refund, code } => {
                self.refund_with_status(refund, RefundStatus::Succeeded)?.fail(code);
                self.drop_oldest_failed();
            }
            Event::RefundFound { provider_id, amount, origin } => {
                if self.found.contains_key(&provider_id) || self.found.len() >= MAX_FOUND {
                    return None;
                }
                self.found.insert(provider_id, FoundRefund { amount, origin, has_failed: false });
            }
            Event::FoundRefundReversed { provider_id, .. } => {
                let found = self.found.get_mut(&provider_id).filter(|found| !found.has_failed)?;
                found.has_failed = true;
            }
            Event::DisputeMoved { dispute, amount, status, funds, reinstated } => {
                let known = self.disputes.get(&dispute);
                let follows = known.is_none_or(|known| {
                    known.funds <= funds && (known.status, known.funds) != (status, funds)
                });
                let fits = reinstated.is_none_or(|part| part.amount <= amount.amount);
                if !follows || !fits || (known.is_none() && self.disputes.len() >= MAX_FOUND) {
                    return None;
                }
                let after = Dispute::moved(known, amount, (status, funds), reinstated);
                self.disputes.insert(dispute, after);
            }
            _ => return None,
        }
        Some(())
    }

    fn refund_with_status(&mut self, id: RefundId, status: RefundStatus) -> Option<&mut Refund> {
        self.refunds.get_mut(&id).filter(|refund| refund.status == status)
    }

    /// Removes the oldest failed refund, so that the size of the item is bounded. The history keeps it.
    fn drop_oldest_failed(&mut self) {
        let failed = |refunds: &BTreeMap<RefundId, Refund>| -> Vec<RefundId> {
            let failed = refunds.iter().filter(|(_, it)| it.status == RefundStatus::Failed);
            failed.map(|(id, _)| *id).collect()
        };
        let failed = failed(&self.refunds);
        if let (Some(oldest), true) = (failed.first(), failed.len() > MAX_REFUNDS) {
            self.refunds.remove(oldest);
        }
    }
}

impl Refund {
    /// A new refund.
    #[must_use]
    pub fn requested(amount: Money) -> Self {
        Self { amount, status: RefundStatus::Pending, provider_id: None, code: None }
    }

    fn fail(&mut self, code: String) {
        self.status = RefundStatus::Failed;
        self.code = Some(code);
    }
}
