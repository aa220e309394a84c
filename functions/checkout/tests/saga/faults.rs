//! A provider that fails, is late, ignores idempotency keys, and repeats requests.

use std::time::Duration;

use checkout::order::{RefundStatus, State};
use serde_json::json;
use testing::provider::{DECLINED, GOOD};

use crate::books::audit_ended;
use crate::support::{PRICE, shop, sku};

const FAULTS: [&str; 7] = [
    "refuse_connection",
    "drop_request",
    "drop_answer",
    "status_500_before",
    "status_500_after",
    "rate_limited",
    "repeat",
];
const PATHS: [&str; 3] = ["/payment_intents$", "/confirm$", "/capture$"];

#[tokio::test]
async fn an_order_is_paid_once_despite_provider_faults() {
    for path in PATHS {
        for fault in FAULTS {
            // Once, and often enough that several workers meet it.
            for times in [1, 3] {
                let (shop, mug) = (shop().await, sku("mug"));
                shop.sell(&mug, 10, 1).await;
                let (_, order) = shop.order(&mug, 2, GOOD).await;
                let rule = json!({"method": "POST", "path": path, "fault": fault, "times": times});
                shop.provider.fault(rule.clone()).await;
                assert_eq!(shop.finish(order).await.state, State::Confirmed, "{rule}");
                assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE, "{rule}");
            }
        }
    }
}

#[tokio::test]
async fn an_order_is_paid_once_at_a_provider_with_idempotency_keys() {
    for path in PATHS {
        for fault in FAULTS {
            let (shop, mug) = (shop().await, sku("mug"));
            shop.sell(&mug, 10, 1).await;
            let (_, order) = shop.order(&mug, 2, GOOD).await;
            shop.provider.honour_keys().await;
            let rule = json!({"method": "POST", "path": path, "fault": fault});
            shop.provider.fault(rule.clone()).await;
            assert_eq!(shop.finish(order).await.state, State::Confirmed, "{rule}");
            assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE, "{rule}");
        }
    }
}

#[tokio::test]
async fn a_cancelled_order_holds_nothing_despite_provider_faults() {
    for path in ["/payment_intents$", "/confirm$", "/cancel$"] {
        for fault in FAULTS {
            let (shop, mug) = (shop().await, sku("mug"));
            shop.sell(&mug, 10, 1).await;
            let (_, order) = shop.order(&mug, 2, DECLINED).await;
            let rule = json!({"method": "POST", "path": path, "fault": fault});
            shop.provider.fault(rule.clone()).await;
            assert_eq!(shop.finish(order).await.state, State::Cancelled, "{rule}");
            assert_eq!(audit_ended(&shop).await.stock[&mug].available, 10, "{rule}");
        }
    }
}

#[tokio::test]
async fn a_refund_is_made_once_despite_provider_faults() {
    // Only the provider can prevent that one request makes two refunds: see the next test.
    for fault in FAULTS.into_iter().filter(|fault| *fault != "repeat") {
        let (shop, mug) = (shop().await, sku("mug"));
        shop.sell(&mug, 10, 1).await;
        let (_, order) = shop.order(&mug, 2, GOOD).await;
        shop.finish(order).await;
        shop.refund(order, "r-1", Some(900)).await;
        let rule = json!({"method": "POST", "path": "/refunds$", "fault": fault, "times": 2});
        shop.provider.fault(rule.clone()).await;
        let order = shop.finish(order).await;
        assert!(order.refunds.values().all(|it| it.status == RefundStatus::Succeeded), "{rule}");
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE - 900, "{rule}");
    }
}

#[tokio::test]
async fn the_key_prevents_a_second_refund_by_a_repeated_request() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let (_, order) = shop.order(&mug, 2, GOOD).await;
    shop.finish(order).await;
    shop.provider.honour_keys().await;
    shop.refund(order, "r-1", Some(900)).await;
    shop.provider.fault(json!({"path": "/refunds$", "method": "POST", "fault": "repeat"})).await;
    shop.finish(order).await;
    assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE - 900);
}

#[tokio::test]
async fn the_payment_is_retrieved_after_a_late_response() {
    for path in ["/confirm$", "/capture$"] {
        let (shop, mug) = (shop().await, sku("mug"));
        shop.sell(&mug, 10, 1).await;
        let (_, order) = shop.order(&mug, 2, GOOD).await;
        let late = json!({"path": path, "fault": "answer_late", "seconds": 12});
        shop.provider.fault(late).await;
        assert_eq!(shop.finish(order).await.state, State::Confirmed);
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE);
        assert_eq!(shop.provider.posts(path.trim_end_matches('$')).await, 1, "{path}");
    }
}

#[tokio::test]
async fn a_long_provider_outage_only_cancels_the_order() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let (_, order) = shop.order(&mug, 2, GOOD).await;
    let down = json!({"path": "/payment_intents$", "fault": "status_500_before", "times": 1_000});
    shop.provider.fault(down).await;
    assert!(shop.work(order).await.is_err());
    let stuck = shop.store().state(order).await.unwrap().unwrap();
    assert!(stuck.trouble.is_some_and(|why| why.contains("500")), "the error is visible");
    // While the job is retried, the sweeper adds no other job.
    for seconds in [90, 90] {
        shop.advance_clock(Duration::from_secs(seconds));
        assert!(shop.work(order).await.is_err());
    }
    assert_eq!(shop.sweep.handle(shop.until()).await.unwrap(), 0);
    shop.advance_clock(Duration::from_mins(3));
    assert_eq!(shop.sweep.handle(shop.until()).await.unwrap(), 1);
    assert_eq!(shop.queued().await, [order]);

    shop.advance_clock(Duration::from_mins(16));
    assert_eq!(shop.finish(order).await.state, State::Cancelled);
    assert_eq!(audit_ended(&shop).await.stock[&mug].available, 10);
}
