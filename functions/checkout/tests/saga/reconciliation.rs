//! Reconciliation with the provider's balance transactions.

use std::time::Duration;

use checkout::queues::Advance;
use checkout::reconcile::{Reconcile, ReconcileReport};
use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock;
use shared::fault::{Run, walk};
use testing::eventually;
use testing::provider::GOOD;

use crate::books::audit_ended;
use crate::support::{PRICE, Shop, shop, sku};

/// The task, after the minimum age of the provider's movements.
fn reconcile(shop: &Shop) -> Reconcile {
    Reconcile {
        store: shop.store().clone(),
        payments: shop.saga.payments.clone(),
        orders: shop.sweep.orders.clone(),
        clock: Clock::manual(Timestamp::now() + SignedDuration::from_hours(1)),
    }
}

async fn run(task: &Reconcile) -> (usize, usize) {
    let until = task.clock.now() + Duration::from_mins(1);
    // All tests share the local provider's records. While it reads new ones, a request can time out; the
    // next run continues.
    let attempt = async || match task.handle(until).await {
        Ok(report) => Some(report),
        Err(error) if error.trail().contains("took too long") => None,
        Err(error) => panic!("{}", error.trail()),
    };
    let report = eventually("a run of the reconciliation", Duration::from_mins(2), attempt).await;
    let ReconcileReport { waiting, unexplained, .. } = report;
    (waiting, unexplained)
}

/// Runs workers for all queued jobs, and returns the number of jobs.
async fn work(shop: &Shop) -> usize {
    let jobs = shop.jobs().await;
    for job in &jobs {
        let Advance::V2 { payment } = job else { panic!("{job:?}") };
        while shop.saga.compare_payment(payment, shop.until()).await.is_err() {
            shop.advance_clock(Duration::from_mins(2));
        }
    }
    jobs.len()
}

async fn paid(shop: &Shop) -> checkout::order::Order {
    shop.sell(&sku("mug"), 10, 1).await;
    let (_, order) = shop.order(&sku("mug"), 2, GOOD).await;
    shop.finish(order).await
}

#[tokio::test]
async fn matching_movements_are_explained() {
    let shop = shop().await;
    let order = paid(&shop).await;
    let payment = order.payment.clone().unwrap();
    shop.refund(order.id, "r-1", Some(900)).await;
    let order = shop.finish(order.id).await;
    let refund = order.refunds.values().next().unwrap().provider_id.clone().unwrap();
    shop.provider.settle_refund(&refund, "failed", None).await;
    let dispute = shop.provider.dispute(&payment.0, "needs_response").await;
    shop.compare(order.id).await;
    shop.provider.settle_dispute(&dispute, "won").await;
    shop.compare(order.id).await;
    let task = reconcile(&shop);
    let until = task.clock.now() + Duration::from_mins(1);
    let found = task.handle(until).await.unwrap();
    // Charge, refund, its failure, dispute, its reversal.
    assert_eq!(found, ReconcileReport { movements: 5, waiting: 0, unexplained: 0 });
    assert_eq!(shop.jobs().await, []);
}

#[tokio::test]
async fn a_refund_by_hand_without_a_webhook_is_found() {
    walk(async |faults: Run| {
        let shop = shop().await;
        let order = paid(&shop).await;
        shop.provider.refund_by_hand(&order.payment.clone().unwrap().0, 700).await;
        let task = reconcile(&shop);
        let until = task.clock.now() + Duration::from_mins(1);
        let attempt = faults.attempt(task.handle(until)).await;
        // The runs of the next hours, and the workers that they queue.
        for _ in 0..3 {
            run(&task).await;
            work(&shop).await;
        }
        let _ = attempt.resume().await;
        work(&shop).await;
        assert_eq!(run(&task).await, (0, 0), "it is explained");
        assert_eq!(shop.state(order.id).await.found.len(), 1);
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE - 700);
    })
    .await;
}

#[tokio::test]
async fn a_movement_without_an_entry_raises_no_alarm_before_a_worker_has_compared() {
    let shop = shop().await;
    let order = paid(&shop).await;
    let refund = shop.provider.refund_by_hand(&order.payment.clone().unwrap().0, 700).await;
    let task = reconcile(&shop);
    assert_eq!(run(&task).await, (1, 0));
    assert_eq!(shop.jobs().await, [Advance::V2 { payment: order.payment.clone().unwrap() }]);
    // No worker came. The overlap of the windows lists the movement twice, but it is open once.
    assert_eq!(run(&task).await, (0, 1));
    let open = shop.store().open_movements().await.unwrap();
    assert_eq!((open.len(), &open[0].moved.source), (1, &refund));
    work(&shop).await;
    assert_eq!(run(&task).await, (0, 0));
    assert_eq!(shop.store().open_movements().await.unwrap(), []);
}

#[tokio::test]
async fn an_unexplained_movement_stays_open() {
    let shop = shop().await;
    paid(&shop).await;
    // A payment that no order has recorded.
    let orphan = shop.saga.payments.create(shop.ids.next(), crate::support::eur(500), GOOD, "k");
    let orphan = orphan.await.unwrap().id;
    shop.saga.payments.confirm(&orphan, None, "k").await.unwrap();
    shop.provider.capture_by_hand(&orphan.0, None).await;
    let task = reconcile(&shop);
    for _ in 0..2 {
        let (waiting, unexplained) = run(&task).await;
        assert_eq!(waiting, 0);
        assert_eq!(unexplained, 1);
        assert_eq!(shop.jobs().await, [], "no worker can help");
    }
    let open = shop.store().open_movements().await.unwrap();
    assert_eq!((open.len(), open[0].moved.payment.as_ref()), (1, Some(&orphan)));
}

#[tokio::test]
async fn a_different_amount_stays_open() {
    let shop = shop().await;
    let order = paid(&shop).await;
    let client = aws_sdk_dynamodb::Client::new(&shop.aws);
    let update = client.update_item().table_name(crate::support::CHECKOUT);
    let key = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
    update
        .key("pk", key(format!("LEDGER#{}", order.id)))
        .key("sk", key("RESOLUTION#payment".into()))
        .update_expression("SET amount.amount = :wrong")
        .expression_attribute_values(
            ":wrong",
            aws_sdk_dynamodb::types::AttributeValue::N("1".into()),
        )
        .send()
        .await
        .unwrap();
    let (_, unexplained) = run(&reconcile(&shop)).await;
    assert_eq!(unexplained, 1);
    let open = shop.store().open_movements().await.unwrap();
    assert!(open[0].why.contains("the ledger has"), "{}", open[0].why);
}
