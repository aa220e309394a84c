//! Random histories, compared with a model.
//!
//! Customers order, cancel, and complete 3-D Secure or do not. Workers come too often, too late and in any
//! order, crash and stall. The provider fails, time passes, the sweepers run. The model knows only the responses
//! to customers: a cancelled order ends as cancelled, an order that refused a cancellation is paid, and so on.
//! After every step the audit passes. At the end every order has ended as the model says.

use std::time::Duration;

use checkout::order::{OrderId, RefundStatus, State};
use inventory::sweep::Sweep as InventorySweep;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use shared::fault::{Attempt, Fault, Run};
use shared::id::UserId;
use testing::provider::{DECLINED, GOOD};
use tokio::runtime::Runtime;

use crate::books::{audit, audit_ended};
use crate::support::{PRICE, Shop, shop, sku};

/// The initial stock: less than the demand.
const STOCK: i64 = 12;

#[derive(Clone, Debug)]
enum Step {
    Place(u32, Means),
    Cancel(usize),
    Work(usize),
    WorkWith(usize, &'static str, Fault),
    Resume(usize),
    Answer(usize),
    Pay(usize, Means),
    Refund(usize, u64),
    /// The provider leaves the next refund pending.
    DelayRefund,
    /// The provider or the customer's bank decides on a refund and sends a webhook.
    Settle(usize, bool),
    Provider(&'static str, &'static str),
    Sweep,
    SweepStock,
    Wait(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Good,
    Declined,
    NeedsAction,
}

/// The model of an order.
#[derive(Debug)]
struct Known {
    id: OrderId,
    customer: UserId,
    quantity: u32,
    /// Whether a good payment method was given: the last one, if the order asked for another.
    may_be_paid: bool,
    placed_at: Timestamp,
    /// Whether a cancellation was accepted.
    cancelled: bool,
    /// Whether a cancellation was refused as too late.
    too_late: bool,
    /// The sum of the accepted refunds.
    refunded: u64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let means = prop_oneof![3 => Just(Means::Good), 1 => Just(Means::Declined), 1 => Just(Means::NeedsAction)];
    let point = prop::sample::select(vec![
        "saga.claim",
        "orders.append",
        "payments.create",
        "payments.confirm",
        "payments.capture",
        "payments.cancel",
        "payments.retrieve",
    ]);
    let fault = prop::sample::select(Fault::ALL.to_vec());
    let which = 0_usize..100;
    let call =
        prop::sample::select(vec!["/payment_intents$", "/confirm$", "/capture$", "/cancel$"]);
    let wrong = prop::sample::select(vec![
        "drop_request",
        "drop_answer",
        "status_500_before",
        "status_500_after",
        "rate_limited",
        "repeat",
    ]);
    let step = prop_oneof![
        4 => (1_u32..4, means.clone()).prop_map(|(quantity, means)| Step::Place(quantity, means)),
        2 => which.clone().prop_map(Step::Cancel),
        4 => which.clone().prop_map(Step::Work),
        4 => (which.clone(), point, fault).prop_map(|(n, point, fault)| Step::WorkWith(n, point, fault)),
        2 => which.clone().prop_map(Step::Resume),
        2 => which.clone().prop_map(Step::Answer),
        3 => (which.clone(), means.clone()).prop_map(|(n, means)| Step::Pay(n, means)),
        2 => (which.clone(), 1_u64..3_000).prop_map(|(n, amount)| Step::Refund(n, amount)),
        1 => Just(Step::DelayRefund),
        2 => (which, any::<bool>()).prop_map(|(n, fails)| Step::Settle(n, fails)),
        2 => (call, wrong).prop_map(|(call, wrong)| Step::Provider(call, wrong)),
        1 => Just(Step::Sweep),
        1 => Just(Step::SweepStock),
        2 => (1_u64..400).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 10..40)
}

#[test]
fn every_order_ends_as_its_responses_said() {
    let runtime = Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 10,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(history(steps));
        Ok(())
    });
    outcome.unwrap();
}

async fn history(steps: Vec<Step>) {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, STOCK, 3).await;
    let mut known: Vec<Known> = Vec::new();
    let mut stalled: Vec<Attempt<'_, _>> = Vec::new();
    for step in steps {
        let count = known.len().max(1);
        match step {
            Step::Place(quantity, means) => place(&shop, &mut known, quantity, means).await,
            Step::Wait(seconds) => shop.advance_clock(Duration::from_secs(seconds)),
            Step::DelayRefund => shop.provider.next_refund("pending").await,
            Step::Sweep => {
                let until = shop.clock.now() + Duration::from_mins(1);
                shop.sweep.handle(until).await.unwrap();
            }
            Step::SweepStock => sweep_stock(&shop).await,
            Step::Provider(call, wrong) => {
                let rule = json!({"method": "POST", "path": call, "fault": wrong});
                shop.provider.fault(rule).await;
            }
            Step::Resume(n) if !stalled.is_empty() => {
                let attempt = stalled.swap_remove(n % stalled.len());
                let _ = attempt.resume().await;
            }
            _ if known.is_empty() => {}
            // A worker may fail. Its job comes again.
            Step::Work(n) => drop(shop.work(known[n % count].id).await),
            Step::WorkWith(n, point, fault) => {
                let run = Run::with(point, fault);
                let attempt = run.attempt(shop.work(known[n % count].id)).await;
                if !attempt.is_done() {
                    stalled.push(attempt);
                }
            }
            Step::Answer(n) => answer(&shop, &mut known[n % count]).await,
            Step::Pay(n, means) => pay(&shop, &mut known[n % count], means).await,
            Step::Cancel(n) => cancel(&shop, &mut known[n % count]).await,
            Step::Refund(n, amount) => refund(&shop, &mut known[n % count], amount).await,
            Step::Settle(n, fails) => settle(&shop, &mut known[n % count], fails).await,
            Step::Resume(_) => {}
        }
        audit(&shop).await;
    }
    end(&shop, stalled, known).await;
}

async fn place(shop: &Shop, known: &mut Vec<Known>, quantity: u32, means: Means) {
    let (customer, mug) = (shop.customer(), sku("mug"));
    shop.fill_cart(customer, &[(&mug, quantity)]).await;
    let token = token(shop, means).await;
    let available = audit(shop).await.stock[&mug].available;
    let answer = shop.place(customer, "key", &token).await;
    let is_enough = i64::from(quantity) <= available;
    assert_eq!(answer.status, if is_enough { 202 } else { 409 }, "{available}: {answer:?}");
    if is_enough {
        known.push(Known {
            id: answer.order(),
            customer,
            quantity,
            may_be_paid: means == Means::Good,
            placed_at: shop.clock.now(),
            cancelled: false,
            too_late: false,
            refunded: 0,
        });
    }
}

async fn token(shop: &Shop, means: Means) -> String {
    match means {
        Means::Good => GOOD.to_owned(),
        Means::Declined => DECLINED.to_owned(),
        Means::NeedsAction => shop.provider.needs_action().await,
    }
}

async fn pay(shop: &Shop, known: &mut Known, means: Means) {
    let before = shop.state(known.id).await;
    let key = shop.customer().to_string();
    let token = token(shop, means).await;
    let answer = shop.pay(known.customer, known.id, &key, &token).await;
    let is_in_time = shop.clock.now() < before.placed.expires_at;
    match answer.status {
        202 => {
            assert!(before.state == State::PaymentRequired && is_in_time, "{before:?}");
            known.may_be_paid |= means == Means::Good;
        }
        409 => assert!(before.state != State::PaymentRequired || !is_in_time, "{before:?}"),
        // The rate limit on payment methods.
        429 => {}
        _ => panic!("{answer:?}"),
    }
}

async fn cancel(shop: &Shop, known: &mut Known) {
    let before = shop.state(known.id).await.state;
    let answer = shop.cancel(known.customer, known.id).await;
    match answer.status {
        200 => known.cancelled = true,
        409 => {
            assert!(matches!(before, State::Capturing | State::Captured | State::Confirmed));
            known.too_late = true;
        }
        _ => panic!("{answer:?}"),
    }
}

async fn answer(shop: &Shop, known: &mut Known) {
    let order = shop.state(known.id).await;
    if order.state == State::ActionRequired {
        shop.provider.authenticate(&order.payment.unwrap().0).await;
        known.may_be_paid = true;
    }
}

async fn refund(shop: &Shop, known: &mut Known, amount: u64) {
    let order = shop.state(known.id).await;
    // Idempotency keys belong to the merchant, so each refund needs its own.
    let key = shop.customer().to_string();
    let answer = shop.refund(known.id, &key, Some(amount)).await;
    let left = u64::from(known.quantity) * PRICE - known.refunded;
    let expected = match order.state {
        State::Confirmed if amount <= left => 202,
        State::Confirmed if left > 0 => 422,
        _ => 409,
    };
    assert_eq!(answer.status, expected, "{amount} of {left}: {answer:?}");
    if answer.status == 202 {
        known.refunded += amount;
    }
}

/// The provider decides on the first refund that has not failed, and sends webhooks until a worker has compared.
async fn settle(shop: &Shop, known: &mut Known, fails: bool) {
    let order = shop.state(known.id).await;
    let open = order.refunds.values().find(|refund| {
        let is_final = refund.status == RefundStatus::Succeeded && !fails;
        refund.provider_id.is_some() && refund.status != RefundStatus::Failed && !is_final
    });
    let (Some(refund), Some(payment)) = (open, &order.payment) else { return };
    let status = if fails { "failed" } else { "succeeded" };
    let id = refund.provider_id.as_deref().unwrap();
    shop.provider.settle_refund(id, status, fails.then_some("lost_or_stolen_card")).await;
    while shop.saga.compare_payment(payment, shop.until()).await.is_err() {
        // The worker that holds the order may have crashed.
        shop.advance_clock(Duration::from_mins(2));
    }
    if fails {
        known.refunded -= refund.amount.amount;
    }
}

async fn settle_all(shop: &Shop, known: &mut [Known]) {
    for known in known {
        shop.finish(known.id).await;
        while shop.state(known.id).await.awaits_refund() {
            settle(shop, known, false).await;
        }
    }
}

async fn sweep_stock(shop: &Shop) {
    let inventory = shop.saga.inventory.clone();
    InventorySweep { inventory, clock: shop.clock.clone() }.sweep(&|| true).await;
}

/// All stalled workers continue, and workers finish all orders. Then the outcome must be the one of
/// the model.
async fn end<T>(shop: &Shop, stalled: Vec<Attempt<'_, T>>, mut known: Vec<Known>) {
    shop.provider.clear().await;
    settle_all(shop, &mut known).await;
    for attempt in stalled {
        let _ = attempt.resume().await;
    }
    settle_all(shop, &mut known).await;
    let books = audit_ended(shop).await;
    let latest = shop.clock.now();
    for known in &known {
        let order = &books.orders[&known.id];
        let could_expire = known.placed_at + Duration::from_mins(15) <= latest;
        // The customer ordered once and added nothing else to the cart.
        let unpaid = if order.state == State::Cancelled { known.quantity } else { 0 };
        assert_eq!(shop.in_cart(known.customer, &sku("mug")).await, unpaid, "{known:?}: {order:?}");
        if known.cancelled || !known.may_be_paid {
            assert_eq!(order.state, State::Cancelled, "{known:?}: {order:?}");
        } else if known.too_late || known.refunded > 0 || !could_expire {
            assert_eq!(order.state, State::Confirmed, "{known:?}: {order:?}");
        }
        let gone = order.refunds.values().filter(|it| it.status == RefundStatus::Succeeded);
        assert_eq!(gone.map(|refund| refund.amount.amount).sum::<u64>(), known.refunded);
    }
    assert_eq!(books.orders.len(), known.len());
}
