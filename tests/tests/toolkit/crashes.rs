//! Every fault at every request, in each mode: the guarantees hold after recovery.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering::SeqCst;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use lambda_http::http::StatusCode;
use serde_json::json;
use shared::fault::{Fault, Run, point, walk};
use shared::http::{app, idempotency};
use shared::idempotency::{Commit, IdempotencyError, Outcome, Reconciled, Request, Transactional};
use shared::{Error, Result};

use crate::support::{A_CLAIM, System, call, counting, request};

#[tokio::test]
async fn a_wrapped_endpoint_always_ends_in_one_answer() {
    let points = walk(async |run: Run| {
        let s = System::new().await;
        let (router, ran) = counting(StatusCode::CREATED);
        let router = app(idempotency::wrapped(router, s.records.clone()));
        let event = request(Some("k"), "{}");

        let first = run.attempt(call(&router, &event)).await;
        // While the first attempt may still run, no other runs the work.
        let ran_first = ran.load(SeqCst);
        let meanwhile = call(&router, &event).await;
        if meanwhile.status == 409 {
            assert_eq!(ran.load(SeqCst), ran_first);
            s.clock.advance(A_CLAIM);
        }
        let retried = call(&router, &event).await;
        assert_eq!(retried.status, 201, "{retried:?}");

        let first = first.resume().await;
        // The second request meets no fault: it gets the answer or 409.
        assert!(matches!(meanwhile.status, 201 | 409), "{meanwhile:?}");
        if let Some(first) = &first {
            // A stalled attempt finds that its claim has expired.
            let is_over = run.fault() == Some(Fault::StallAfter) && first.status == 409;
            assert!(is_over || run.allows(first.status, &[]), "{first:?}");
        }
        for answer in [Some(meanwhile), first].into_iter().flatten() {
            // All successful responses are the same.
            if answer.status == 201 {
                assert_eq!(answer.as_first(), retried.as_first());
            }
        }
        assert_eq!(call(&router, &event).await.as_first(), retried.as_first());
        assert!(ran.load(SeqCst) <= 2);
    })
    .await;
    assert_eq!(points, ["idempotency.claim", "idempotency.complete"]);
}

/// A bank that makes every charge that it gets, and lists its charges.
#[derive(Default)]
struct Bank {
    charges: Mutex<Vec<String>>,
    /// Whether it charges each reference only once.
    is_idempotent: bool,
}

impl Bank {
    async fn charge(&self, reference: &str) -> Result<()> {
        point("bank.charge", || async {
            let mut charges = self.charges.lock().unwrap();
            if !self.is_idempotent || !charges.iter().any(|charged| charged == reference) {
                charges.push(reference.to_owned());
            }
            Ok::<_, Error>(())
        })
        .await
    }

    fn has_charged(&self, reference: &str) -> bool {
        self.charges.lock().unwrap().iter().any(|charged| charged == reference)
    }
}

fn put(table: &str, id: &str) -> TransactWriteItem {
    let put = Put::builder().table_name(table).item("id", AttributeValue::S(id.into()));
    let put = put.condition_expression("attribute_not_exists(id)").build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

#[tokio::test]
async fn money_moves_once_whatever_happens() {
    let points = walk(async |run: Run| {
        let s = System::new().await;
        // Only the bank can detect a duplicate request that is already sent: one that the network has
        // duplicated, or one that a stalled process sends after all else has ended. It does so by the
        // reference. All other duplicates are prevented here.
        let is_idempotent = matches!(run.fault(), Some(Fault::Repeat | Fault::StallBefore));
        let bank = Bank { is_idempotent, ..Bank::default() };
        let transactional = Transactional::new(s.records.clone());
        let request = Request::keyed("charge", "order-123").unwrap().validated(&json!(10)).unwrap();
        let receipts = Mutex::new(0);
        let receipt = || {
            let mut receipts = receipts.lock().unwrap();
            *receipts += 1;
            Commit::new(format!("receipt {receipts}"))
                .write(put(&s.table, "ledger"))
                .write(put(&s.table, "event"))
        };
        let attempt = async || {
            transactional
                .execute(
                    &request,
                    async |claim| {
                        bank.charge(claim.id()).await?;
                        Ok(receipt())
                    },
                    async |claim| {
                        if bank.has_charged(claim.id()) {
                            Ok(Reconciled::Happened(receipt()))
                        } else {
                            Ok(Reconciled::DidNotHappen)
                        }
                    },
                )
                .await
        };

        let first = run.attempt(attempt()).await;
        let retried = match attempt().await {
            Err(IdempotencyError::InProgress { .. }) => {
                s.clock.advance(A_CLAIM);
                attempt().await.unwrap()
            }
            other => other.unwrap(),
        };
        let answer = retried.into_inner();
        match first.resume().await {
            Some(Ok(Outcome::New(late) | Outcome::Replayed(late))) => assert_eq!(late, answer),
            Some(Err(IdempotencyError::Failed(_) | IdempotencyError::InProgress { .. })) | None => {
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(attempt().await.unwrap(), Outcome::Replayed(answer));
        assert_eq!(*bank.charges.lock().unwrap(), [request.id()], "charged once");
        let items = s.items().await;
        assert_eq!(items.len(), 3, "{items:?}");
    })
    .await;
    assert_eq!(points, ["idempotency.claim", "bank.charge", "idempotency.transact"]);
}

#[tokio::test]
async fn a_claim_that_is_sent_twice_still_reconciles_the_earlier_run() {
    let s = System::new().await;
    let bank = Bank::default();
    let transactional = Transactional::new(s.records.clone());
    let request = Request::keyed("charge", "order-123").unwrap();
    let attempt = async || {
        transactional
            .execute(
                &request,
                async |claim| {
                    bank.charge(claim.id()).await?;
                    Ok(Commit::new("charged".to_owned()))
                },
                async |claim| {
                    assert!(bank.has_charged(claim.id()));
                    Ok(Reconciled::Happened(Commit::new("charged".to_owned())))
                },
            )
            .await
    };
    let crash = Run::with("bank.charge", Fault::CrashAfter);
    assert!(!crash.attempt(attempt()).await.is_done());
    s.clock.advance(A_CLAIM);
    let repeat = Run::with("idempotency.claim", Fault::Repeat);
    let outcome = repeat.attempt(attempt()).await.resume().await.unwrap();
    assert_eq!(outcome.unwrap(), Outcome::New("charged".to_owned()));
    assert_eq!(bank.charges.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_commit_is_made_once_whatever_happens() {
    let points = walk(async |run: Run| {
        let s = System::new().await;
        let transactional = Transactional::new(s.records.clone());
        let request = Request::keyed("charge", "order-123").unwrap();
        let commit = async |n: u32| {
            let commit = Commit::new(n).write(put(&s.table, &format!("ledger-{n}")));
            transactional.commit(&request, commit).await
        };
        let first = run.attempt(commit(1)).await;
        let answer = commit(2).await.unwrap().into_inner();
        if let Some(Ok(late)) = first.resume().await {
            assert_eq!(late.into_inner(), answer);
            // If the transaction is sent twice, its outcome is still `New`.
            assert_eq!(matches!(late, Outcome::New(_)), run.fault() != Some(Fault::StallBefore));
        }
        assert_eq!(commit(3).await.unwrap(), Outcome::Replayed(answer));
        let ids: HashMap<_, _> =
            s.items().await.into_iter().map(|item| (item["id"].to_string(), item)).collect();
        assert_eq!(ids.len(), 2);
        assert!(ids.contains_key(&format!("\"ledger-{answer}\"")));
    })
    .await;
    assert_eq!(points, ["idempotency.transact"]);
}
