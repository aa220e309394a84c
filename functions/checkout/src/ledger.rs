//! A double-entry ledger: each movement debits one account and credits another.
//!
//! A [`Movement`] has one debited account, one credited account and one amount. It always balances,
//! because it has no second amount. Transfers never change. Money that the provider holds and has not
//! captured is a *pending* transfer. Exactly one [`Resolution`] posts or voids it: two phases, as in
//! `TigerBeetle`
//! (<https://docs.tigerbeetle.com/coding/two-phase-transfers/>).

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::http::contract;
use shared::id::InvalidId;
use utoipa::ToSchema;

use crate::money::{Currency, Money};
use crate::order::{Dispute, Funds, OrderId, Origin, RefundId};

/// A ledger account. Each currency has its own balance of it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The money that the payment provider owes us: an asset.
    Provider,
    /// Sales: income.
    Sales,
    /// Refunds: they reduce income.
    Refunds,
    /// The money that the provider has withdrawn until a dispute is decided: an asset.
    Disputed,
    /// The money lost in disputes: an expense.
    DisputeLosses,
}

impl Account {
    /// All accounts.
    pub const ALL: [Self; 5] =
        [Self::Provider, Self::Sales, Self::Refunds, Self::Disputed, Self::DisputeLosses];

    /// The name, as stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Sales => "sales",
            Self::Refunds => "refunds",
            Self::Disputed => "disputed",
            Self::DisputeLosses => "dispute_losses",
        }
    }
}

/// Why money moves for an order. Each cause has one transfer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Cause {
    /// The customer pays the order.
    Payment,
    /// Somebody captured the payment at the provider, and the order ends unpaid.
    CapturedByHand,
    /// We refund a part or all of the payment.
    Refund(RefundId),
    /// A refund that we did not request. The text is the provider's refund id.
    FoundRefund(Origin, String),
    /// A refund was returned to us. The text is our refund id, or the provider's id if we did not request it.
    Reversal(String),
    /// A dispute moves money. The text is the provider's dispute id.
    Dispute(String, DisputeMove),
}

contract::text!(
    Cause,
    "^(payment|captured_by_hand|rfn_[0-9A-Z]{26}|(by_hand|doubled|reversal|dispute_(withdrawn|reinstated|lost)):.+)$",
    "payment",
    "Why money moves: `payment`, `captured_by_hand`, the id of a refund, or a word with an id after it."
);

/// How a dispute moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisputeMove {
    /// The provider withdraws the money.
    Withdrawn,
    /// The provider returns the money to us.
    Reinstated,
    /// The money is lost.
    Lost,
}

impl DisputeMove {
    const ALL: [(&'static str, Self); 3] =
        [("withdrawn", Self::Withdrawn), ("reinstated", Self::Reinstated), ("lost", Self::Lost)];

    fn name(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Reinstated => "reinstated",
            Self::Lost => "lost",
        }
    }
}

impl From<Cause> for String {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Payment => "payment".into(),
            Cause::CapturedByHand => "captured_by_hand".into(),
            Cause::Refund(refund) => refund.to_string(),
            Cause::FoundRefund(Origin::ByHand, id) => format!("by_hand:{id}"),
            Cause::FoundRefund(Origin::Doubled, id) => format!("doubled:{id}"),
            Cause::Reversal(refund) => format!("reversal:{refund}"),
            Cause::Dispute(id, moved) => format!("dispute_{}:{id}", moved.name()),
        }
    }
}

impl TryFrom<String> for Cause {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let Some((kind, id)) = text.split_once(':') else {
            return match text.as_str() {
                "payment" => Ok(Self::Payment),
                "captured_by_hand" => Ok(Self::CapturedByHand),
                refund => Ok(Self::Refund(refund.parse()?)),
            };
        };
        let id = id.to_owned();
        let moved = |name| DisputeMove::ALL.into_iter().find(|(known, _)| *known == name);
        match kind {
            "by_hand" => Ok(Self::FoundRefund(Origin::ByHand, id)),
            "doubled" => Ok(Self::FoundRefund(Origin::Doubled, id)),
            "reversal" => Ok(Self::Reversal(id)),
            _ => match kind.strip_prefix("dispute_").and_then(moved) {
                Some((_, moved)) => Ok(Self::Dispute(id, moved)),
                // The text has an unknown kind. A refund id has no colon, so this returns an error.
                None => Ok(Self::Refund(text.parse()?)),
            },
        }
    }
}

/// Money that moves from one account to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LedgerMovement)]
pub struct Movement {
    /// The order.
    pub order: OrderId,
    /// The cause.
    pub cause: Cause,
    /// The debited account.
    pub debit: Account,
    /// The credited account.
    pub credit: Account,
    /// The amount.
    pub amount: Money,
}

/// A movement that is written to the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    /// The movement.
    #[serde(flatten)]
    pub movement: Movement,
    /// Whether the transfer still needs a resolution.
    pub pending: bool,
    /// The time of writing.
    pub at: Timestamp,
}

/// The resolution of a pending transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resolution {
    /// The movement of the pending transfer.
    #[serde(flatten)]
    pub movement: Movement,
    /// Whether the movement counts.
    pub outcome: Outcome,
    /// The time of writing.
    pub at: Timestamp,
}

/// Whether a pending transfer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PendingOutcome)]
pub enum Outcome {
    /// The movement counts.
    Posted,
    /// The movement never counts.
    Voided,
}

impl Movement {
    /// The payment of an order. The provider owes us the amount.
    #[must_use]
    pub fn payment(order: OrderId, amount: Money) -> Self {
        let (debit, credit) = (Account::Provider, Account::Sales);
        Self { order, cause: Cause::Payment, debit, credit, amount }
    }

    /// Somebody captured the payment at the provider, and the order ends unpaid.
    #[must_use]
    pub fn captured_by_hand(order: OrderId, amount: Money) -> Self {
        Self { cause: Cause::CapturedByHand, ..Self::payment(order, amount) }
    }

    /// A refund that we requested. It reduces the money that the provider owes us.
    #[must_use]
    pub fn refund(order: OrderId, refund: RefundId, amount: Money) -> Self {
        let (debit, credit) = (Account::Refunds, Account::Provider);
        Self { order, cause: Cause::Refund(refund), debit, credit, amount }
    }

    /// A refund that we did not request, by the provider's refund id.
    #[must_use]
    pub fn found(order: OrderId, (id, origin): (String, Origin), amount: Money) -> Self {
        let (debit, credit) = (Account::Refunds, Account::Provider);
        Self { order, cause: Cause::FoundRefund(origin, id), debit, credit, amount }
    }

    /// The reversal of a refund that was returned to us. The transfer of the refund stays.
    #[must_use]
    pub fn reversal(order: OrderId, refund: String, amount: Money) -> Self {
        let (debit, credit) = (Account::Provider, Account::Refunds);
        Self { order, cause: Cause::Reversal(refund), debit, credit, amount }
    }

    /// The movements when a dispute changes from `before` to `after`. `before` is `None` for a new dispute.
    #[must_use]
    pub fn of_dispute(
        order: OrderId,
        id: &str,
        before: Option<&Dispute>,
        after: &Dispute,
    ) -> Vec<Self> {
        let funds = before.map_or(Funds::Untouched, |before| before.funds);
        let was_lost = before.is_some_and(|before| before.was_lost);
        let mut movements = Vec::new();
        let mut push = |moved, amount, debit, credit| {
            let cause = Cause::Dispute(id.to_owned(), moved);
            let amount = Money { amount, ..after.amount };
            movements.push(Self { order, cause, debit, credit, amount });
        };
        let all = after.amount.amount;
        if funds == Funds::Untouched && after.funds != Funds::Untouched {
            push(DisputeMove::Withdrawn, all, Account::Disputed, Account::Provider);
        }
        if funds != Funds::Reinstated && after.funds == Funds::Reinstated {
            let from = if was_lost { Account::DisputeLosses } else { Account::Disputed };
            push(DisputeMove::Reinstated, after.returned(), Account::Provider, from);
        }
        // If the provider returns only a part, the rest is lost.
        let is_lost = after.was_lost || after.funds == Funds::Reinstated;
        if is_lost && !was_lost && after.outstanding() > 0 {
            push(DisputeMove::Lost, after.outstanding(), Account::DisputeLosses, Account::Disputed);
        }
        movements
    }
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = LedgerEntry)]
pub enum Entry {
    /// A transfer.
    Transfer(Transfer),
    /// The resolution of a pending transfer.
    Resolution(Resolution),
}

/// The sums of an account, in minor units. The change by one entry can be negative, when a pending
/// transfer is resolved. The sum over all entries cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Balance {
    /// The posted debits.
    pub debits: i64,
    /// The posted credits.
    pub credits: i64,
    /// The pending debits.
    pub pending_debits: i64,
    /// The pending credits.
    pub pending_credits: i64,
}

impl AddAssign for Balance {
    fn add_assign(&mut self, other: Self) {
        self.debits += other.debits;
        self.credits += other.credits;
        self.pending_debits += other.pending_debits;
        self.pending_credits += other.pending_credits;
    }
}

impl Entry {
    /// The movement of the entry.
    #[must_use]
    pub fn movement(&self) -> &Movement {
        match self {
            Self::Transfer(transfer) => &transfer.movement,
            Self::Resolution(resolution) => &resolution.movement,
        }
    }

    /// The changes of the debited and the credited account.
    #[must_use]
    pub fn changes(&self) -> [((Currency, Account), Balance); 2] {
        let (posted, pending) = match self {
            Self::Transfer(Transfer { pending: true, .. }) => (0, 1),
            Self::Transfer(_) => (1, 0),
            Self::Resolution(Resolution { outcome: Outcome::Posted, .. }) => (1, -1),
            Self::Resolution(_) => (0, -1),
        };
        let &Movement { debit: debited, credit: credited, amount, .. } = self.movement();
        let (currency, amount) =
            (amount.currency, i64::try_from(amount.amount).unwrap_or(i64::MAX));
        let (posted, pending) = (posted * amount, pending * amount);
        let debit = Balance { debits: posted, pending_debits: pending, ..Balance::default() };
        let credit = Balance { credits: posted, pending_credits: pending, ..Balance::default() };
        [((currency, debited), debit), ((currency, credited), credit)]
    }
}

/// The balance of each account of each currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrialBalance(pub BTreeMap<(Currency, Account), Balance>);

impl TrialBalance {
    /// The sums of these entries.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut balances = Self::default();
        for (account, change) in entries.into_iter().flat_map(Entry::changes) {
            *balances.0.entry(account).or_default() += change;
        }
        balances
    }

    /// Whether, for each currency, debits equal credits and pending debits equal pending credits, and no sum
    /// is negative.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let mut sums: BTreeMap<Currency, Balance> = BTreeMap::new();
        for ((currency, _), balance) in &self.0 {
            *sums.entry(*currency).or_default() += *balance;
        }
        let is_sound = |Balance { debits, credits, pending_debits, pending_credits }: &Balance| {
            [debits, credits, pending_debits, pending_credits].iter().all(|sum| **sum >= 0)
        };
        self.0.values().all(is_sound)
            && sums
                .values()
                .all(|sum| sum.debits == sum.credits && sum.pending_debits == sum.pending_credits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::clock::Clock;
    use shared::id::Ids;

    use super::*;

    /// Generates pending, posted and voided payments, and refunds.
    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let ids = Ids::sequential(Clock::manual(Timestamp::UNIX_EPOCH));
        let one = (1_u64..1_000_000, prop::sample::select(vec!["EUR", "USD"]), 0_u8..4);
        prop::collection::vec(one, 0..40).prop_map(move |wanted| {
            let entries = wanted.into_iter().map(|(amount, currency, kind)| {
                let money = Money::new(amount, currency.parse().unwrap());
                let at = Timestamp::UNIX_EPOCH;
                let movement = Movement::payment(ids.next(), money);
                let back = Movement::refund(movement.order, ids.next(), money);
                let refund = Transfer { movement: back, pending: false, at };
                let paid = Transfer { movement: movement.clone(), pending: true, at };
                let resolved = |outcome| Resolution { movement: movement.clone(), outcome, at };
                match kind {
                    0 => vec![Entry::Transfer(paid)],
                    1 => vec![Entry::Resolution(resolved(Outcome::Voided)), Entry::Transfer(paid)],
                    2 => vec![Entry::Resolution(resolved(Outcome::Posted)), Entry::Transfer(paid)],
                    _ => vec![
                        Entry::Resolution(resolved(Outcome::Posted)),
                        Entry::Transfer(paid),
                        Entry::Transfer(refund),
                    ],
                }
            });
            entries.flatten().collect()
        })
    }

    proptest! {
        #[test]
        fn all_entries_balance(entries in entries()) {
            prop_assert!(TrialBalance::of(&entries).is_balanced());
        }

        #[test]
        fn an_unbalanced_change_is_detected(entries in entries(), at in any::<prop::sample::Index>()) {
            prop_assume!(!entries.is_empty());
            let mut balances = TrialBalance::of(&entries);
            let [(account, change), _] = entries[at.index(entries.len())].changes();
            prop_assume!(change != Balance::default());
            *balances.0.entry(account).or_default() += change;
            prop_assert!(!balances.is_balanced());
        }

        #[test]
        fn the_order_of_entries_does_not_matter(
            (entries, shuffled) in entries().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            prop_assert_eq!(TrialBalance::of(&entries), TrialBalance::of(&shuffled));
        }
    }
}
