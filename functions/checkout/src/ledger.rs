//! Double entry: whatever leaves one account enters another.
//!
//! A [`Movement`] has one account that it debits, one that it credits, and one amount. There is no way
//! to write one that does not balance: it has nowhere to put a second amount. Transfers are never
//! changed. What a provider holds but has not taken is a *pending* transfer, which one [`Resolution`],
//! and one only, posts or voids: two phases, as in `TigerBeetle`
//! (<https://docs.tigerbeetle.com/coding/two-phase-transfers/>).

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::InvalidId;

use crate::money::{Currency, Money};
use crate::order::{Dispute, Funds, OrderId, Origin, RefundId};

/// An account of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What the payment provider owes us: an asset.
    Provider,
    /// What was sold: income.
    Sales,
    /// What was given back: against income.
    Refunds,
    /// What the provider has withdrawn until a dispute is decided: an asset.
    Disputed,
    /// What was lost in disputes: an expense.
    DisputeLosses,
}

impl Account {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Provider, Self::Sales, Self::Refunds, Self::Disputed, Self::DisputeLosses];

    /// Its name, as it is written.
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

/// Why money moves for an order. One cause makes one transfer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Cause {
    /// The order is paid.
    Payment,
    /// Somebody took the money at the provider, of an order that ends without a payment.
    CapturedByHand,
    /// Some of it is given back.
    Refund(RefundId),
    /// The provider has given some of it back, and we did not ask it to: by its id of the refund.
    Found(Origin, String),
    /// A refund has come back: by our id of it, or by the provider's where we did not ask for it.
    Reversal(String),
    /// A dispute, by the provider's id, has moved money.
    Dispute(String, DisputeMove),
}

/// How a dispute moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisputeMove {
    /// The provider withdraws it.
    Withdrawn,
    /// The provider gives it back to us.
    Reinstated,
    /// It is lost.
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
            Cause::Found(Origin::ByHand, id) => format!("by_hand:{id}"),
            Cause::Found(Origin::Doubled, id) => format!("doubled:{id}"),
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
            "by_hand" => Ok(Self::Found(Origin::ByHand, id)),
            "doubled" => Ok(Self::Found(Origin::Doubled, id)),
            "reversal" => Ok(Self::Reversal(id)),
            _ => match kind.strip_prefix("dispute_").and_then(moved) {
                Some((_, moved)) => Ok(Self::Dispute(id, moved)),
                // No such kind is no refund's id either.
                None => Ok(Self::Refund(text.parse()?)),
            },
        }
    }
}

/// Money that goes from one account to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The order that it is for.
    pub order: OrderId,
    /// Why.
    pub cause: Cause,
    /// The account that it debits.
    pub debit: Account,
    /// The account that it credits.
    pub credit: Account,
    /// How much.
    pub amount: Money,
}

/// A movement that is written into the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// What moves.
    #[serde(flatten)]
    pub movement: Movement,
    /// Whether it waits to be posted or voided.
    pub pending: bool,
    /// When it was written.
    pub at: Timestamp,
}

/// What became of a pending transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What was to move.
    #[serde(flatten)]
    pub movement: Movement,
    /// Whether it counts.
    pub outcome: Outcome,
    /// When it was written.
    pub at: Timestamp,
}

/// Whether a pending transfer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It does.
    Posted,
    /// It never will.
    Voided,
}

impl Movement {
    /// An order is paid: the provider owes us what was sold.
    #[must_use]
    pub fn payment(order: OrderId, amount: Money) -> Self {
        let (debit, credit) = (Account::Provider, Account::Sales);
        Self { order, cause: Cause::Payment, debit, credit, amount }
    }

    /// Somebody took the money at the provider, of an order that ends without a payment.
    #[must_use]
    pub fn captured_by_hand(order: OrderId, amount: Money) -> Self {
        Self { cause: Cause::CapturedByHand, ..Self::payment(order, amount) }
    }

    /// Some of it is given back, out of what the provider owes us.
    #[must_use]
    pub fn refund(order: OrderId, refund: RefundId, amount: Money) -> Self {
        let (debit, credit) = (Account::Refunds, Account::Provider);
        Self { order, cause: Cause::Refund(refund), debit, credit, amount }
    }

    /// The provider has given some of it back that we did not ask it to.
    #[must_use]
    pub fn found(order: OrderId, (id, origin): (String, Origin), amount: Money) -> Self {
        let (debit, credit) = (Account::Refunds, Account::Provider);
        Self { order, cause: Cause::Found(origin, id), debit, credit, amount }
    }

    /// A refund has come back; it keeps its own transfer.
    #[must_use]
    pub fn reversal(order: OrderId, refund: String, amount: Money) -> Self {
        let (debit, credit) = (Account::Provider, Account::Refunds);
        Self { order, cause: Cause::Reversal(refund), debit, credit, amount }
    }

    /// What a dispute moves that stands elsewhere than before.
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
        // If only a part is given back, the rest is lost.
        let is_lost = after.was_lost || after.funds == Funds::Reinstated;
        if is_lost && !was_lost && after.away() > 0 {
            push(DisputeMove::Lost, after.away(), Account::DisputeLosses, Account::Disputed);
        }
        movements
    }
}

/// Something that was written into the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// A transfer.
    Transfer(Transfer),
    /// What became of a pending one.
    Resolution(Resolution),
}

/// What an account has seen, in minor units. What an entry adds to it can be less than zero, where what
/// was pending is no longer; the sum of all entries cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What was debited.
    pub debits: i64,
    /// What was credited.
    pub credits: i64,
    /// What would be debited if all that is pending were posted.
    pub pending_debits: i64,
    /// What would be credited then.
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
    /// What it is about.
    #[must_use]
    pub fn movement(&self) -> &Movement {
        match self {
            Self::Transfer(transfer) => &transfer.movement,
            Self::Resolution(resolution) => &resolution.movement,
        }
    }

    /// What the entry adds to the two accounts that it is about.
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
    /// The balances that these entries make.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut balances = Self::default();
        for (account, change) in entries.into_iter().flat_map(Entry::changes) {
            *balances.0.entry(account).or_default() += change;
        }
        balances
    }

    /// Whether all debits are all credits, currency by currency, pending ones too, and none is less
    /// than zero.
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

    /// Payments that are pending, posted or voided, and refunds.
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
        fn whatever_is_written_balances(entries in entries()) {
            prop_assert!(TrialBalance::of(&entries).is_balanced());
        }

        #[test]
        fn a_missing_half_shows(entries in entries(), at in any::<prop::sample::Index>()) {
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
