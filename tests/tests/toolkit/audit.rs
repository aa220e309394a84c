//! The audit log: chains without gaps and without duplicates, however many write to them.

use std::collections::BTreeMap;

use futures::future::join_all;
use shared::audit::{AuditLog, Chain, Entry, Fact};
use shared::clock::Clock;
use shared::fault;
use testing::account;

const CHAIN: Chain = Chain::Installation;

async fn log() -> AuditLog {
    let aws = account::empty().await;
    let table = account::table_named(&aws, "audit", &["pk", "sk"]).await;
    AuditLog::new(aws_sdk_dynamodb::Client::new(&aws), table)
}

fn fact(id: impl ToString) -> Fact {
    Fact {
        id: id.to_string(),
        at: "2026-11-30T10:00:00Z".parse().unwrap(),
        kind: "thing.done".into(),
        subject: "thing".into(),
        details: BTreeMap::new(),
    }
}

async fn append(log: &AuditLog, id: impl ToString) -> shared::Result<Option<Entry>> {
    log.append(CHAIN, &fact(id), Clock::System.now()).await
}

/// All entries, oldest first. Checks that the chain is whole.
async fn whole(log: &AuditLog) -> Vec<Entry> {
    let (mut entries, mut before) = (Vec::<Entry>::new(), None);
    loop {
        let (page, has_more) = log.entries(CHAIN, before, 7).await.unwrap();
        before = page.last().map(|entry| entry.number);
        entries.extend(page);
        if !has_more {
            break;
        }
    }
    entries.reverse();
    let mut previous = "0".repeat(64);
    for (entry, number) in entries.iter().zip(1..) {
        assert_eq!((entry.number, &entry.previous), (number, &previous));
        previous.clone_from(&entry.hash);
    }
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_many_writers_are_one_chain() {
    let log = log().await;
    // A writer whose retries are over appends later, as the stream delivers a change again.
    let mut waiting: Vec<u32> = (0..60).collect();
    while !waiting.is_empty() {
        let results = join_all(waiting.iter().map(|id| append(&log, id))).await;
        let failed = waiting.iter().zip(results).filter(|(_, result)| result.is_err());
        waiting = failed.map(|(id, _)| *id).collect();
    }
    assert_eq!(whole(&log).await.len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_comes_16_times_at_once_is_one_entry() {
    let log = log().await;
    append(&log, "before").await.unwrap();
    let results = join_all((0..16).map(|_| append(&log, "fact"))).await;
    // The same entry is the same transaction, so several may hear of it.
    let entries = results.into_iter().filter_map(|result| result.ok().flatten());
    assert!(entries.into_iter().all(|entry| entry.number == 2 && entry.fact.id == "fact"));
    assert_eq!(append(&log, "fact").await.unwrap(), None);
    assert_eq!(whole(&log).await.len(), 2);
}

#[tokio::test]
async fn chains_are_apart() {
    let log = log().await;
    let tenant = Chain::Tenant("ten_01M7YRRT800000000000000001".parse().unwrap());
    append(&log, 1).await.unwrap();
    let entry = log.append(tenant, &fact(2), Clock::System.now()).await.unwrap().unwrap();
    assert_eq!((entry.number, entry.chain.as_str()), (1, "ten_01M7YRRT800000000000000001"));
    assert_eq!(whole(&log).await.len(), 1);
}

#[tokio::test]
async fn an_attempt_that_ends_anywhere_is_made_once() {
    fault::walk(async |run: fault::Run| {
        let log = log().await;
        append(&log, "before").await.unwrap();
        let first = run.attempt(append(&log, "fact")).await;
        append(&log, "fact").await.unwrap();
        first.resume().await;
        let entries = whole(&log).await;
        assert_eq!(
            entries.iter().map(|entry| entry.fact.id.as_str()).collect::<Vec<_>>(),
            ["before", "fact"]
        );
    })
    .await;
}
