//! Random histories, compared with a simple model.

use std::collections::BTreeMap;

use futures::future::join_all;
use inventory::reservation::Status;
use inventory::{Reservation, Sku};
use jiff::Timestamp;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::audit::{Totals, audit};
use crate::support::{System, sku, system};

/// A step, with its product and its holder.
#[derive(Clone, Copy, Debug)]
enum Step {
    Move { sku: u8, quantity: i64, buckets: u32 },
    Reserve { of: Of, quantity: u32, seconds: i64 },
    Commit { of: Of },
    Consume { of: Of, knows: bool },
    Release { of: Of, knows: bool },
    Sweep,
    Advance { seconds: i64 },
}

/// A holder and a product.
type Of = (u8, u8);

fn step() -> impl Strategy<Value = Step> {
    let of = || (0..4_u8, 0..2_u8);
    prop_oneof![
        2 => (0..2_u8, 1..20_i64, 1..5_u32)
            .prop_map(|(sku, quantity, buckets)| Step::Move { sku, quantity, buckets }),
        1 => (0..2_u8, -15..0_i64)
            .prop_map(|(sku, quantity)| Step::Move { sku, quantity, buckets: 1 }),
        5 => (of(), 1..9_u32, 1..90_i64)
            .prop_map(|(of, quantity, seconds)| Step::Reserve { of, quantity, seconds }),
        3 => of().prop_map(|of| Step::Commit { of }),
        2 => (of(), any::<bool>()).prop_map(|(of, knows)| Step::Consume { of, knows }),
        2 => (of(), any::<bool>()).prop_map(|(of, knows)| Step::Release { of, knows }),
        2 => Just(Step::Sweep),
        2 => (0..60_i64).prop_map(|seconds| Step::Advance { seconds }),
    ]
}

/// The expected state.
#[derive(Default)]
struct Model {
    products: BTreeMap<u8, Totals>,
    reservations: BTreeMap<Of, Held>,
}

struct Held {
    /// The reservation as planned: the stale view of a caller that has not read it again.
    planned: Reservation,
    status: Status,
}

impl Model {
    fn end(&mut self, of: Of, status: Status) {
        let Some(held) = self.reservations.get_mut(&of) else { return };
        held.status = status;
        let quantity = i64::from(held.planned.quantity());
        let product = self.products.get_mut(&of.1).unwrap();
        product.reserved -= quantity;
        match status {
            Status::Consumed => product.consumed += quantity,
            _ => product.available += quantity,
        }
    }

    fn due(&self, now: Timestamp) -> Vec<Of> {
        let is_due = |held: &Held| held.status == Status::Held && held.planned.expires_at <= now;
        self.reservations.iter().filter(|(_, held)| is_due(held)).map(|(of, _)| *of).collect()
    }
}

fn names((holder, product): Of) -> (String, Sku) {
    (format!("o{holder}"), sku(&format!("p{product}")))
}

/// Executes a step in the table and in the model. Both must have the same outcome.
async fn take(s: &System, model: &mut Model, step: Step) -> Result<(), TestCaseError> {
    match step {
        Step::Move { sku, quantity, buckets } => {
            let available = model.products.get(&sku).map_or(0, |product| product.available);
            let is_made = s.move_stock(&names((0, sku)).1, quantity, buckets).await;
            prop_assert_eq!(is_made, available + quantity >= 0);
            if is_made {
                let product = model.products.entry(sku).or_default();
                product.moved += quantity;
                product.available += quantity;
                product.buckets = product.buckets.max(buckets as usize);
            }
        }
        Step::Reserve { of, quantity, seconds } => {
            let (holder, sku) = names(of);
            let planned = s.reserve(&holder, &sku, quantity, s.in_seconds(seconds)).await;
            let available = model.products.get(&of.1).map_or(0, |product| product.available);
            let is_free = !model.reservations.contains_key(&of);
            prop_assert_eq!(planned.is_some(), is_free && available >= i64::from(quantity));
            if let Some(planned) = planned {
                prop_assert_eq!(planned.quantity(), quantity);
                let product = model.products.get_mut(&of.1).unwrap();
                product.available -= i64::from(quantity);
                product.reserved += i64::from(quantity);
                model.reservations.insert(of, Held { planned, status: Status::Held });
            }
        }
        Step::Commit { of } => {
            let Some(held) = model.reservations.get_mut(&of) else { return Ok(()) };
            let may = held.status == Status::Held && s.now() < held.planned.expires_at;
            prop_assert_eq!(s.commit(&held.planned).await, may);
            if may {
                held.status = Status::Committed;
            }
        }
        Step::Consume { of, knows } => {
            let Some(held) = model.reservations.get(&of) else { return Ok(()) };
            let may = held.status == Status::Committed;
            let is_done = knows && held.status == Status::Consumed;
            prop_assert_eq!(
                s.consume(&known_reservation(s, held, knows).await).await,
                may || is_done
            );
            if may {
                model.end(of, Status::Consumed);
            }
        }
        Step::Release { of, knows } => {
            let Some(held) = model.reservations.get(&of) else { return Ok(()) };
            let may = matches!(held.status, Status::Held | Status::Committed);
            let is_done = knows && held.status == Status::Released;
            prop_assert_eq!(
                s.release(&known_reservation(s, held, knows).await).await,
                may || is_done
            );
            if may {
                model.end(of, Status::Released);
            }
        }
        Step::Sweep => {
            let due = model.due(s.now());
            let swept = s.sweep().await;
            prop_assert_eq!((swept.released, swept.failed), (due.len() as u64, 0));
            for of in due {
                model.end(of, Status::Released);
            }
        }
        Step::Advance { seconds } => s.advance(seconds),
    }
    Ok(())
}

/// The current reservation if `knows`, otherwise the planned one.
async fn known_reservation(s: &System, held: &Held, knows: bool) -> Reservation {
    let Reservation { holder, sku, .. } = &held.planned;
    if knows {
        s.inventory.reservation(holder, sku).await.unwrap().unwrap()
    } else {
        held.planned.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_table_matches_the_model_after_each_step(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        Runtime::new().unwrap().block_on(async {
            let (s, mut model) = (system().await, Model::default());
            for step in steps {
                take(&s, &mut model, step).await?;
                let counted = audit(&s).await;
                let expected: BTreeMap<_, _> = model
                    .products
                    .iter()
                    .map(|(product, counted)| (names((0, *product)).1, counted.clone()))
                    .collect();
                prop_assert_eq!(counted, expected, "after {:?}", step);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_actors_lose_no_stock() {
    let s = system().await;
    for product in 0..2 {
        s.move_stock(&names((0, product)).1, 60, 3).await;
    }
    let actors = (0..12_u64).map(|seed| {
        let s = s.clone();
        tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            for _ in 0..15 {
                act(&s, &mut random).await;
            }
        })
    });
    for actor in join_all(actors).await {
        actor.unwrap();
    }
    let counted = audit(&s).await;
    assert_eq!(counted.len(), 2);
    s.advance(1000);
    assert_eq!(s.sweep().await.failed, 0);
    audit(&s).await;
}

/// Executes a random action. The audit checks the result.
async fn act(s: &System, random: &mut fastrand::Rng) {
    let (holder, sku) = names((random.u8(0..20), random.u8(0..2)));
    match random.u8(0..10) {
        0 => _ = s.move_stock(&sku, random.i64(1..10), random.u32(1..5)).await,
        1 => _ = s.move_stock(&sku, random.i64(-9..0), 1).await,
        2..=5 => {
            let expires_at = s.in_seconds(random.i64(1..60));
            s.reserve(&holder, &sku, random.u32(1..5), expires_at).await;
        }
        6 => {
            s.advance(1);
            s.sweep().await;
        }
        which => {
            for found in s.inventory.reservations(&holder).await.unwrap() {
                _ = match which {
                    7 => s.commit(&found).await,
                    8 => s.consume(&found).await,
                    _ => s.release(&found).await,
                };
            }
        }
    }
}
