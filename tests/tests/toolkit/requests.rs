//! The two modes of idempotency, without HTTP.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::Error;
use shared::idempotency::{
    Commit, IdempotencyError, Outcome, Reconciled, Request, Transactional, Wrapped,
};

use crate::support::{A_CLAIM, System};

fn request(payload: &Value) -> Request {
    Request::keyed("charge", "order-123").unwrap().validated(payload).unwrap()
}

fn put(system: &System, id: &str) -> TransactWriteItem {
    let put = Put::builder().table_name(&system.table).item("id", AttributeValue::S(id.into()));
    let put = put.condition_expression("attribute_not_exists(id)").build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

async fn has(system: &System, id: &str) -> bool {
    system.items().await.iter().any(|item| item["id"] == id)
}

#[tokio::test]
async fn a_record_has_powertools_attributes() {
    let s = System::new().await;
    let now = s.clock.now();
    let wrapped = Wrapped::new(s.records.clone());
    let payload = json!({"userId": "u1", "amount": 10});
    let during = wrapped.run(&request(&payload), async || Ok(s.items().await)).await.unwrap();
    let in_progress = &during.into_inner()[0];
    assert_eq!(in_progress["id"], "charge#767699b3ce7ee65ad155a61a6f7bdafb");
    assert_eq!(in_progress["status"], "INPROGRESS");
    assert_eq!(in_progress["expiration"], now.as_second() + 24 * 60 * 60);
    assert_eq!(in_progress["in_progress_expiration"], now.as_millisecond() + 15 * 60 * 1000);
    assert_eq!(in_progress["validation"], "42f7c9dd53837fdfda4bd1e24c503fba");
    assert_eq!(in_progress.get("data"), None);

    let completed = &s.items().await[0];
    assert_eq!(completed["status"], "COMPLETED");
    let data: Value = serde_json::from_str(completed["data"].as_str().unwrap()).unwrap();
    assert_eq!(data, json!([in_progress]));
    assert_eq!(completed["owner"], in_progress["owner"]);
}

#[tokio::test]
async fn a_claim_ends_two_seconds_after_the_deadline_of_its_invocation() {
    let s = System::new().await;
    let mut context = lambda_runtime::Context::default();
    context.deadline = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap() + 10_000;
    let invocation = shared::invocation::Invocation::of(&context, None);
    let wrapped = Wrapped::new(s.records.clone());
    let request = request(&json!(1));
    let run = wrapped.run(&request, async || Ok(s.items().await));
    let items = Box::pin(invocation.scope(run)).await.unwrap().into_inner();
    let left =
        items[0]["in_progress_expiration"].as_i64().unwrap() - s.clock.now().as_millisecond();
    assert!((9_000..=12_000).contains(&left), "{left}");
}

#[tokio::test]
async fn work_that_fails_can_be_retried_at_once() {
    let s = System::new().await;
    let wrapped = Wrapped::new(s.records.clone());
    let fail = wrapped.run::<u32>(&request(&json!(1)), async || Err(Error::internal("no"))).await;
    assert!(matches!(fail, Err(IdempotencyError::Failed(_))));
    assert!(s.items().await.is_empty());
    let done = wrapped.run(&request(&json!(1)), async || Ok(7)).await;
    assert_eq!(done.unwrap(), Outcome::New(7));
}

#[tokio::test]
async fn a_stalled_run_that_fails_does_not_release_the_claim_of_the_next() {
    let s = System::new().await;
    let wrapped = Wrapped::new(s.records.clone());
    let request = request(&json!(1));
    let stalled = wrapped.run::<u32>(&request, async || {
        s.clock.advance(A_CLAIM);
        assert_eq!(wrapped.run(&request, async || Ok(1)).await.unwrap(), Outcome::New(1));
        Err(Error::internal("no"))
    });
    assert!(matches!(Box::pin(stalled).await, Err(IdempotencyError::Failed(_))));
    assert_eq!(wrapped.run(&request, async || Ok(2)).await.unwrap(), Outcome::Replayed(1));

    // The same while the next run is still running.
    let request = Request::keyed("charge", "order-124").unwrap();
    let (failed, has_failed) = tokio::sync::oneshot::channel();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let stalled = async {
        let run = wrapped.run::<u32>(&request, async || {
            s.clock.advance(A_CLAIM);
            begun.send(()).unwrap();
            // Wait until the next run has its claim.
            while s.items().await.iter().all(|item| {
                let until = item["in_progress_expiration"].as_i64().unwrap();
                item["id"] != request.id() || until <= s.clock.now().as_millisecond()
            }) {
                tokio::task::yield_now().await;
            }
            Err(Error::internal("no"))
        });
        let _ = run.await;
        failed.send(()).unwrap();
    };
    let next = async {
        has_begun.await.unwrap();
        let run = wrapped.run(&request, async || {
            has_failed.await.unwrap();
            Ok(s.items().await.iter().any(|item| item["id"] == request.id()))
        });
        assert_eq!(run.await.unwrap(), Outcome::New(true), "its record is still there");
    };
    tokio::join!(stalled, next);
}

#[tokio::test]
async fn a_claim_is_valid_until_its_last_millisecond() {
    let s = System::new().await;
    let wrapped = Wrapped::new(s.records.clone());
    let mut ran = 0;
    // A run that never ends.
    let (claimed, has_claimed) = tokio::sync::oneshot::channel();
    let first_request = request(&json!(1));
    let never = wrapped.run::<u32>(&first_request, async || {
        claimed.send(()).unwrap();
        std::future::pending().await
    });
    tokio::select! {
        _ = never => unreachable!(),
        claimed = has_claimed => claimed.unwrap(),
    }
    s.clock.advance(SignedDuration::from_mins(15));
    let refused = wrapped.run(&request(&json!(1)), async || Ok(1)).await;
    assert!(matches!(refused, Err(IdempotencyError::InProgress { .. })));
    // Another payload is refused before and after the end of the claim.
    for _ in 0..2 {
        let other = wrapped.run(&request(&json!(2)), async || Ok(1)).await;
        assert!(matches!(other, Err(IdempotencyError::OtherPayload)), "{other:?}");
        s.clock.advance(SignedDuration::from_millis(1));
    }
    let done = wrapped.run(&first_request, async || {
        ran += 1;
        Ok(2)
    });
    assert_eq!(done.await.unwrap(), Outcome::New(2));
    assert_eq!(ran, 1);
}

#[tokio::test]
async fn a_commit_is_one_request_and_all_or_nothing() {
    let s = System::new().await;
    let transactional = Transactional::new(s.records.clone());
    let order =
        |n: u32| Commit::new(n).write(put(&s, &format!("order-{n}"))).write(put(&s, "event"));
    let (first, sent) = s.sent.during(transactional.commit(&request(&json!(1)), order(1))).await;
    assert_eq!((first.unwrap(), sent), (Outcome::New(1), 1));
    // The same request again: the first answer, and no writes of the second commit.
    let (again, sent) = s.sent.during(transactional.commit(&request(&json!(1)), order(2))).await;
    assert_eq!((again.unwrap(), sent), (Outcome::Replayed(1), 1));
    assert!(has(&s, "order-1").await && !has(&s, "order-2").await);

    // If a condition does not hold, nothing is written, not even the record.
    let other = Request::keyed("charge", "order-124").unwrap();
    let taken = Commit::new(3).write(put(&s, "order-3")).write(put(&s, "event"));
    match transactional.commit(&other, taken).await {
        Err(IdempotencyError::Refused { index, .. }) => assert_eq!(index, 1),
        other => panic!("{other:?}"),
    }
    assert!(!has(&s, "order-3").await);
    assert_eq!(s.items().await.len(), 3);
    let free = Commit::new(3).write(put(&s, "order-3"));
    assert_eq!(transactional.commit(&other, free).await.unwrap(), Outcome::New(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_commits_one_is_made() {
    let s = System::new().await;
    let transactional = Transactional::new(s.records.clone());
    let commits = (0..60).map(|n| {
        let add = Update::builder()
            .table_name(&s.table)
            .key("id", AttributeValue::S("balance".into()))
            .update_expression("ADD cents :ten")
            .expression_attribute_values(":ten", AttributeValue::N("10".into()))
            .build()
            .unwrap();
        let commit = Commit::new(n).write(TransactWriteItem::builder().update(add).build());
        let transactional = transactional.clone();
        tokio::spawn(async move { transactional.commit(&request(&json!(1)), commit).await })
    });
    let outcomes: Vec<Outcome<u32>> =
        join_all(commits).await.into_iter().map(|outcome| outcome.unwrap().unwrap()).collect();
    let new: Vec<_> = outcomes.iter().filter(|o| matches!(o, Outcome::New(_))).collect();
    assert_eq!(new.len(), 1);
    let Outcome::New(answer) = *new[0] else { unreachable!() };
    assert!(outcomes.iter().all(|outcome| outcome.into_inner() == answer));
    let items = s.items().await;
    assert_eq!(items.iter().find(|item| item["id"] == "balance").unwrap()["cents"], 10);
}

#[tokio::test]
async fn an_execution_is_two_requests() {
    let s = System::new().await;
    let transactional = Transactional::new(s.records.clone());
    let request = request(&json!(1));
    let execute = || {
        transactional.execute(
            &request,
            async |claim| Ok(Commit::new(claim.id().to_owned()).write(put(&s, "order"))),
            async |_| panic!("nothing to reconcile"),
        )
    };
    let (first, sent) = Box::pin(s.sent.during(execute())).await;
    assert_eq!((first.unwrap(), sent), (Outcome::New(request.id().to_owned()), 2));
    let (again, sent) = Box::pin(s.sent.during(execute())).await;
    assert_eq!((again.unwrap(), sent), (Outcome::Replayed(request.id().to_owned()), 1));
}

#[tokio::test]
async fn an_expired_claim_is_reconciled_after_any_time() {
    let s = System::new().await;
    let transactional = Transactional::new(s.records.clone());
    let request = request(&json!(1));
    let works = AtomicU32::new(0);
    let attempt = |fails: bool| {
        transactional.execute(
            &request,
            async |_| {
                works.fetch_add(1, SeqCst);
                Err(Error::internal("the bank did not answer"))
            },
            async move |_| {
                if fails {
                    return Err(Error::internal("the bank still does not answer"));
                }
                Ok(Reconciled::Happened(Commit::new("charged".to_owned())))
            },
        )
    };
    assert!(matches!(attempt(false).await, Err(IdempotencyError::Failed(_))));
    // TTL does not delete the evidence.
    let expiration = s.items().await[0]["expiration"].as_i64().unwrap();
    assert!(expiration > s.clock.now().as_second() + 50 * 365 * 24 * 60 * 60);
    // Longer than an answer is kept.
    s.clock.advance(SignedDuration::from_hours(24 * 365));
    // Every attempt reconciles; the work does not run again.
    for _ in 0..3 {
        assert!(matches!(attempt(true).await, Err(IdempotencyError::Failed(_))));
    }
    assert_eq!(attempt(false).await.unwrap(), Outcome::New("charged".into()));
    assert_eq!(attempt(false).await.unwrap(), Outcome::Replayed("charged".into()));
    assert_eq!(works.load(SeqCst), 1);
}

#[tokio::test]
async fn a_stalled_execution_writes_nothing() {
    let s = System::new().await;
    let transactional = Transactional::new(s.records.clone());
    let request = request(&json!(1));
    let stalled = transactional.execute(
        &request,
        async |_| {
            s.clock.advance(A_CLAIM);
            let next = transactional.execute(
                &request,
                async |_| Ok(Commit::new("next".to_owned()).write(put(&s, "next"))),
                async |_| Ok(Reconciled::DidNotHappen),
            );
            assert_eq!(next.await.unwrap(), Outcome::New("next".to_owned()));
            Ok(Commit::new("stalled".to_owned()).write(put(&s, "stalled")))
        },
        async |_| panic!("nothing to reconcile"),
    );
    assert_eq!(stalled.await.unwrap(), Outcome::Replayed("next".to_owned()));
    assert!(has(&s, "next").await && !has(&s, "stalled").await);
}

#[tokio::test]
async fn data_as_a_native_value_is_replayed() {
    let s = System::new().await;
    let request = Request::keyed("charge", "order-123").unwrap();
    let number = AttributeValue::N("10".into());
    let native = AttributeValue::M(HashMap::from([("amount".into(), number)]));
    s.client
        .put_item()
        .table_name(&s.table)
        .item("id", AttributeValue::S(request.id().into()))
        .item("status", AttributeValue::S("COMPLETED".into()))
        .item("expiration", AttributeValue::N((s.clock.now().as_second() + 60).to_string()))
        .item("data", native)
        .send()
        .await
        .unwrap();
    let replay = Wrapped::new(s.records.clone()).run(&request, async || Ok(json!(null))).await;
    assert_eq!(replay.unwrap(), Outcome::Replayed(json!({"amount": 10})));
}
