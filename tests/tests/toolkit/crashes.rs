//! Every fault at every request, in each mode: what was promised holds after recovery.

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
        let asked = request(Some("k"), "{}");

        let first = run.attempt(call(&router, &asked)).await;
        // While the first may still be at it, nobody else is.
        let ran_first = ran.load(SeqCst);
        let meanwhile = call(&router, &asked).await;
        if meanwhile.status == 409 {
            assert_eq!(ran.load(SeqCst), ran_first);
            s.clock.advance(A_CLAIM);
        }
        let retried = call(&router, &asked).await;
        assert_eq!(retried.status, 201, "{retried:?}");

        let first = first.resume().await;
        // Nothing goes wrong with this one: it is told to come back, or of the answer.
        assert!(matches!(meanwhile.status, 201 | 409), "{meanwhile:?}");
        if let Some(first) = &first {
            // Whoever has stalled finds that the claim is over.
            let is_over = run.fault() == Some(Fault::StallAfter) && first.status == 409;
            assert!(is_over || run.allows(first.status, &[]), "{first:?}");
        }
        for answer in [Some(meanwhile), first].into_iter().flatten() {
            // Each that was told of success was told of the same.
            if answer.status == 201 {
                assert_eq!(answer.as_first(), retried.as_first());
            }
        }
        assert_eq!(call(&router, &asked).await.as_first(), retried.as_first());
        assert!(ran.load(SeqCst) <= 2);
    })
    .await;
    assert_eq!(points, ["idempotency.claim", "idempotency.complete"]);
}

/// A bank that charges as often as it is told to, and can say what it did.
#[derive(Default)]
struct Bank {
    charges: Mutex<Vec<String>>,
    /// Whether the same reference is charged once only.
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
        // Only the bank can tell apart two requests that were both on their way: one that the network
        // has doubled, or one that a stalled process sends when all is over. It needs the reference
        // for that; everything else is ours to prevent.
        let is_idempotent = matches!(run.fault(), Some(Fault::Repeat | Fault::StallBefore));
        let bank = Bank { is_idempotent, ..Bank::default() };
        let transactional = Transactional::new(s.records.clone());
        let asked = Request::keyed("charge", "order-123").unwrap().validated(&json!(10)).unwrap();
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
                    &asked,
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
        assert_eq!(*bank.charges.lock().unwrap(), [asked.id()], "charged once");
        let items = s.items().await;
        assert_eq!(items.len(), 3, "{items:?}");
    })
    .await;
    assert_eq!(points, ["idempotency.claim", "bank.charge", "idempotency.transact"]);
}

#[tokio::test]
async fn a_doubled_claim_does_not_forget_the_run_before_it() {
    let s = System::new().await;
    let bank = Bank::default();
    let transactional = Transactional::new(s.records.clone());
    let asked = Request::keyed("charge", "order-123").unwrap();
    let attempt = async || {
        transactional
            .execute(
                &asked,
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
    let doubled = Run::with("idempotency.claim", Fault::Repeat);
    let outcome = doubled.attempt(attempt()).await.resume().await.unwrap();
    assert_eq!(outcome.unwrap(), Outcome::New("charged".to_owned()));
    assert_eq!(bank.charges.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_commit_is_made_once_whatever_happens() {
    let points = walk(async |run: Run| {
        let s = System::new().await;
        let transactional = Transactional::new(s.records.clone());
        let asked = Request::keyed("charge", "order-123").unwrap();
        let commit = async |n: u32| {
            let commit = Commit::new(n).write(put(&s.table, &format!("ledger-{n}")));
            transactional.commit(&asked, commit).await
        };
        let first = run.attempt(commit(1)).await;
        let answer = commit(2).await.unwrap().into_inner();
        if let Some(Ok(late)) = first.resume().await {
            assert_eq!(late.into_inner(), answer);
            // Sent twice, it is still the first.
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
