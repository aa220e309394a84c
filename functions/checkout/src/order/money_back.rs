//! What happens to the money of an order after it was taken: refunds, and disputes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Order, RefundId, State};
use crate::money::Money;

/// The most refunds of an order that have not failed, and the most failed ones that its item keeps: the
/// history has all of them.
pub const MAX_REFUNDS: usize = 50;
/// The most refunds of others and the most disputes that an order's item has room for.
pub const MAX_FOUND: usize = 50;

/// A refund of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// How much.
    pub amount: Money,
    /// How it stands.
    pub status: RefundStatus,
    /// The provider's id of it, once the provider has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Why it failed: the provider's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// How a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// It is under way.
    Pending,
    /// The money went back.
    Succeeded,
    /// The money did not go back, or has returned to us.
    Failed,
}

/// A refund at the provider that no request of ours accounts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// How much.
    pub amount: Money,
    /// Whose it is.
    pub origin: Origin,
    /// Whether the money has returned to us.
    pub has_failed: bool,
}

/// Whose a refund is that no request of ours accounts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Somebody made it at the provider.
    ByHand,
    /// The provider carried out one request of ours twice.
    Doubled,
}

/// A dispute of an order's payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// How much is disputed.
    pub amount: Money,
    /// How it stands.
    pub status: DisputeStatus,
    /// Where the disputed money is.
    pub funds: Funds,
    /// How much of it was given back, if not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinstated: Option<Money>,
    /// Whether the ledger has booked it as a loss. The bank may still give it back later (a late win).
    #[serde(default)]
    pub was_lost: bool,
}

impl Dispute {
    /// How much was given back, in minor units.
    #[must_use]
    pub fn returned(&self) -> u64 {
        match self.funds {
            Funds::Untouched | Funds::Withdrawn => 0,
            Funds::Reinstated => self.reinstated.unwrap_or(self.amount).amount,
        }
    }

    /// How much of it is away, in minor units.
    #[must_use]
    pub fn away(&self) -> u64 {
        match self.funds {
            Funds::Untouched => 0,
            Funds::Withdrawn | Funds::Reinstated => self.amount.amount - self.returned(),
        }
    }

    /// The dispute after it has moved. `before` is how it stood, unless it is new.
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

/// How a dispute stands, in Stripe's words (<https://docs.stripe.com/api/disputes/object>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank asks; no money has moved.
    WarningNeedsResponse,
    /// The bank looks at the answer to its question.
    WarningUnderReview,
    /// The bank's question came to nothing.
    WarningClosed,
    /// The shop has to answer.
    NeedsResponse,
    /// The bank looks at the shop's answer.
    UnderReview,
    /// The shop has won.
    Won,
    /// The shop has lost.
    Lost,
    /// It was settled before it became a dispute.
    Prevented,
}

impl DisputeStatus {
    /// Its name, as Stripe writes it.
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

    /// Whether money that was withdrawn is ours no longer.
    #[must_use]
    pub fn is_lost(self) -> bool {
        match self {
            // What is settled before it is a dispute is settled with the withdrawn money.
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

/// Where disputed money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funds {
    /// The provider has not touched it.
    Untouched,
    /// The provider has withdrawn it.
    Withdrawn,
    /// The provider has withdrawn it and given it back to us.
    Reinstated,
}

impl Order {
    /// How much was taken of the customer, in minor units; what went back is not subtracted.
    #[must_use]
    pub fn taken(&self) -> u64 {
        match self.state {
            State::Captured | State::Confirmed => self.placed.total.amount,
            _ => self.captured_by_hand.map_or(0, |taken| taken.amount),
        }
    }

    /// How much has gone back by refunds, in minor units.
    #[must_use]
    pub fn refunded(&self) -> u64 {
        let ours = self.refunds.values().filter(|it| it.status == RefundStatus::Succeeded);
        let ours: u64 = ours.map(|refund| refund.amount.amount).sum();
        ours + self.found_gone()
    }

    /// How much may still be asked back, in minor units: what is under way counts as gone.
    #[must_use]
    pub fn refundable(&self) -> u64 {
        let gone = self.refunds.values().filter(|refund| refund.status != RefundStatus::Failed);
        let gone: u64 = gone.map(|refund| refund.amount.amount).sum();
        self.taken().saturating_sub(gone + self.found_gone())
    }

    fn found_gone(&self) -> u64 {
        let gone = self.found.values().filter(|found| !found.has_failed);
        gone.map(|found| found.amount.amount).sum()
    }

    /// How many refunds have not failed.
    #[must_use]
    pub fn open_refunds(&self) -> usize {
        self.refunds.values().filter(|refund| refund.status != RefundStatus::Failed).count()
    }

    /// Whether the provider has a refund of ours that may still succeed or fail, so that the order is to
    /// be looked at again although nothing is to be done.
    #[must_use]
    pub fn awaits_refund(&self) -> bool {
        self.next().is_none()
            && self.refunds.values().any(|refund| refund.status == RefundStatus::Pending)
    }

    /// The table of what follows what, of the money of an order that has ended.
    pub(super) fn follow_money_back(&mut self, event: Event) -> Option<()> {
        match event {
            Event::RefundRequested { refund, amount } => {
                let fits = amount.currency == self.placed.total.currency
                    && (1..=self.refundable()).contains(&amount.amount);
                if !fits || self.refunds.contains_key(&refund) {
                    return None;
                }
                self.refunds.insert(refund, Refund::asked_for(amount));
            }
            Event::RefundPending { refund, provider_id } => {
                let refund = self.refund_in(refund, RefundStatus::Pending)?;
                if refund.provider_id.is_some() {
                    return None;
                }
                refund.provider_id = Some(provider_id);
            }
            Event::RefundSucceeded { refund, provider_id } => {
                let refund = self.refund_in(refund, RefundStatus::Pending)?;
                refund.status = RefundStatus::Succeeded;
                refund.provider_id = Some(provider_id);
            }
            Event::RefundFailed { refund, code } => {
                self.refund_in(refund, RefundStatus::Pending)?.fail(code);
                self.forget_failed();
            }
            Event::RefundReversed { refund, code } => {
                self.refund_in(refund, RefundStatus::Succeeded)?.fail(code);
                self.forget_failed();
            }
            Event::RefundFound { provider_id, amount, origin } => {
                if self.found.contains_key(&provider_id) || self.found.len() >= MAX_FOUND {
                    return None;
                }
                self.found.insert(provider_id, Found { amount, origin, has_failed: false });
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

    fn refund_in(&mut self, id: RefundId, status: RefundStatus) -> Option<&mut Refund> {
        self.refunds.get_mut(&id).filter(|refund| refund.status == status)
    }

    /// Keeps the item bounded: the oldest failed refund goes. The history has it.
    fn forget_failed(&mut self) {
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
    /// One that is asked for.
    #[must_use]
    pub fn asked_for(amount: Money) -> Self {
        Self { amount, status: RefundStatus::Pending, provider_id: None, code: None }
    }

    fn fail(&mut self, code: String) {
        self.status = RefundStatus::Failed;
        self.code = Some(code);
    }
}
