use proptest::prelude::*;
use shared::clock::Clock;
use shared::id::Ids;

use super::*;

fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn eur(amount: u64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

fn placed(ids: &Ids) -> Recorded {
    let line = Line {
        sku: "mug".parse().unwrap(),
        name: "A mug".into(),
        quantity: 2,
        unit_price: eur(1_250),
    };
    let placed = Placed {
        customer: ids.next(),
        tenant: ids.next(),
        lines: vec![line],
        total: eur(2_500),
        payment_method: "pm_card_visa".into(),
        expires_at: start() + std::time::Duration::from_mins(15),
    };
    Recorded { order: ids.next(), version: 1, at: start(), event: Event::Placed(placed) }
}

fn then(order: &Order, event: Event) -> Result<Order, IllegalEvent> {
    let version = order.version + 1;
    Order::apply(Some(order.clone()), Recorded { order: order.id, version, at: start(), event })
}

/// Any event. Refund events use one of three refunds.
fn any_event() -> impl Strategy<Value = Event> {
    let ids = Ids::sequential(Clock::manual(start()));
    let refunds: Vec<RefundId> = (0..3).map(|_| ids.next()).collect();
    let refund = prop::sample::select(refunds);
    prop_oneof![
        Just(Event::PaymentCreated { payment: PaymentId("pi_1".into()) }),
        Just(Event::ActionRequired),
        Just(Event::PaymentAuthorised),
        Just(Event::MeansDeclined { code: "card_declined".into() }),
        Just(Event::MeansGiven { payment_method: "pm_card_mastercard".into() }),
        Just(Event::PaymentRefused { code: "amount_too_small".into() }),
        Just(Event::PaymentDeclined { code: "card_declined".into() }),
        Just(Event::CaptureStarted),
        Just(Event::PaymentCaptured),
        Just(Event::CaptureFailed { code: "expired".into() }),
        Just(Event::Confirmed),
        Just(Event::CancelRequested { reason: Reason::Customer }),
        Just(Event::PaymentVoided),
        Just(Event::Cancelled { not_in_cart: Vec::new() }),
        (refund.clone(), 0..3_000_u64)
            .prop_map(|(refund, amount)| Event::RefundRequested { refund, amount: eur(amount) }),
        refund
            .clone()
            .prop_map(|refund| Event::RefundSucceeded { refund, provider_id: "re_1".into() }),
        refund
            .clone()
            .prop_map(|refund| Event::RefundPending { refund, provider_id: "re_1".into() }),
        refund.clone().prop_map(|refund| Event::RefundFailed { refund, code: "failed".into() }),
        refund
            .clone()
            .prop_map(|refund| Event::RefundReversed { refund, code: "lost_card".into() }),
        (refund, 1..3_000_u64)
            .prop_map(|(refund, amount)| Event::CaptureFound { refund, amount: eur(amount) }),
        (1..3_000_u64).prop_map(|amount| Event::RefundFound {
            provider_id: "re_2".into(),
            amount: eur(amount),
            origin: Origin::ByHand,
        }),
        Just(Event::FoundRefundReversed { provider_id: "re_2".into(), code: "lost_card".into() }),
    ]
}

proptest! {
    #[test]
    fn an_order_is_never_both_paid_and_cancelled(
        events in prop::collection::vec(any_event(), 0..60),
    ) {
        let first = placed(&Ids::sequential(Clock::manual(start())));
        let mut history = vec![first.clone()];
        let mut order = Order::apply(None, first).unwrap();
        for event in events {
            let Ok(next) = then(&order, event.clone()) else { continue };
            history.push(Recorded { order: order.id, version: next.version, at: start(), event });
            order = next;
        }
        let count = |name: &str| {
            history.iter().filter(|recorded| recorded.event.name() == name).count()
        };
        for once in ["payment_created", "payment_authorised", "capture_started", "payment_captured",
            "confirmed", "payment_voided", "cancelled"] {
            prop_assert!(count(once) <= 1, "{once}");
        }
        // The customer gives a payment method only after a decline, and declines are limited.
        prop_assert!(count("means_given") <= count("means_declined"));
        prop_assert!(count("means_declined") < MAX_TRIES as usize);
        prop_assert!(
            count("payment_captured") + count("payment_voided") + count("capture_found") <= 1
        );
        prop_assert!(count("confirmed") + count("cancelled") <= 1);
        prop_assert!(count("payment_captured") <= count("payment_authorised"));
        // Refunds never exceed the captured amount.
        let back: u64 = order.refunds.values()
            .filter(|refund| refund.status != RefundStatus::Failed)
            .map(|refund| refund.amount.amount)
            .sum();
        prop_assert!(back <= order.captured());
        let may_have_refunds = order.state == State::Confirmed || order.captured_by_hand.is_some();
        prop_assert!(order.refunds.is_empty() || may_have_refunds);
        let to_be_sent = order.refunds.values().any(|refund| {
            refund.status == RefundStatus::Pending && refund.provider_id.is_none()
        });
        prop_assert!(!order.has_ended() || order.next().is_some() == to_be_sent);
        // The fold of the events is the order.
        prop_assert_eq!(Order::of(history).unwrap(), Some(order.clone()));
        // An order that has not ended has a next step.
        let has_ended = matches!(order.state, State::Confirmed | State::Cancelled);
        prop_assert!(has_ended || order.next().is_some());
    }

    #[test]
    fn an_event_of_another_version_or_order_is_refused(version in 0_u32..10) {
        let ids = Ids::sequential(Clock::manual(start()));
        let order = Order::apply(None, placed(&ids)).unwrap();
        let payment = PaymentId("pi_1".into());
        let event = Event::PaymentCreated { payment };
        let recorded = |order, version| Recorded { order, version, at: start(), event: event.clone() };
        let applied = Order::apply(Some(order.clone()), recorded(order.id, version));
        prop_assert_eq!(applied.is_ok(), version == 2);
        prop_assert!(Order::apply(Some(order), recorded(ids.next(), 2)).is_err());
    }
}

#[test]
fn an_order_cannot_be_cancelled_after_the_capture_has_started() {
    let ids = Ids::sequential(Clock::manual(start()));
    let mut order = Order::apply(None, placed(&ids)).unwrap();
    let payment = PaymentId("pi_1".into());
    for event in [
        Event::PaymentCreated { payment },
        Event::PaymentAuthorised,
        Event::CaptureStarted,
        Event::PaymentCaptured,
        Event::Confirmed,
    ] {
        let may_cancel = matches!(order.state, State::Placed | State::Created | State::Authorised);
        let cancelled = then(&order, Event::CancelRequested { reason: Reason::Customer });
        assert_eq!(cancelled.is_ok(), may_cancel, "{:?}", order.state);
        order = then(&order, event).unwrap();
    }
    assert!(then(&order, Event::CancelRequested { reason: Reason::Customer }).is_err());
}

/// Items from before payment methods could be replaced are still readable.
#[test]
fn an_old_history_and_an_old_order_are_readable() {
    let ids = Ids::sequential(Clock::manual(start()));
    let first = placed(&ids);
    let mut history = vec![first.clone()];
    for (version, event) in [
        (2, r#"{"type":"payment_created","payment":"pi_1"}"#),
        (3, r#"{"type":"payment_declined","code":"card_declined"}"#),
        (4, r#"{"type":"payment_voided"}"#),
        (5, r#"{"type":"cancelled"}"#),
    ] {
        let event = serde_json::from_str(event).unwrap();
        history.push(Recorded { order: first.order, version, at: start(), event });
    }
    let order = Order::of(history).unwrap().unwrap();
    assert_eq!((order.state, order.reason), (State::Cancelled, Some(Reason::Declined)));
    let mut old = serde_json::to_value(&order).unwrap();
    for field in ["means", "declines", "decline_code", "not_in_cart"] {
        old.as_object_mut().unwrap().remove(field);
    }
    let read: Order = serde_json::from_value(old).unwrap();
    assert_eq!((read.id, read.state), (order.id, order.state));
}
