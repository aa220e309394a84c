//! Rust and Python on one table: the real `aws-lambda-powertools` on the other side.

use std::process::Stdio;

use aws_sdk_dynamodb::config::ProvideCredentials;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shared::idempotency::{IdempotencyError, Outcome, Request, Wrapped, hash_of};
use testing::{account, endpoint, root};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::System;

/// A Python process with Powertools in it.
struct Peer {
    _process: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    fn start() -> Self {
        let python = root().join(".venv/bin/python");
        let mut process = Command::new(python)
            .arg(root().join("tests/powertools/peer.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { _process: process, commands, answers }
    }

    async fn tell(&mut self, command: &Value) {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.unwrap();
    }

    async fn answer(&mut self) -> Value {
        let line = self.answers.next_line().await.unwrap();
        serde_json::from_str(&line.unwrap()).unwrap()
    }

    async fn ask(&mut self, command: &Value) -> Value {
        self.tell(command).await;
        self.answer().await
    }
}

/// The command to run an idempotent function.
async fn run(s: &System, key: &Value, payload: &Value, answer: &Value) -> Value {
    let credentials = s.aws.credentials_provider().unwrap().provide_credentials().await.unwrap();
    json!({
        "op": "run", "endpoint": endpoint(), "region": account::REGION,
        "account": credentials.access_key_id(), "table": s.table,
        "prefix": "charge", "key": key, "payload": payload, "answer": answer,
    })
}

fn asked(key: &Value, payload: &Value) -> Request {
    Request::keyed("charge", key).unwrap().validated(payload).unwrap()
}

#[tokio::test]
async fn what_one_has_done_the_other_replays() {
    let (s, mut peer) = (System::new().await, Peer::start());
    let wrapped = Wrapped::new(s.records.clone());
    let payload = json!({"amount": 10, "note": "für 🦀"});
    let answer = json!({"id": "ch_1", "amount": 10, "é": [1.5, null]});

    // Python completes, Rust replays.
    let key = json!("order-1");
    let ran = peer.ask(&run(&s, &key, &payload, &answer).await).await;
    assert_eq!(ran, json!({"answer": answer, "ran": true}));
    let replay = wrapped.run(&asked(&key, &payload), async || Ok(json!("again"))).await;
    assert_eq!(replay.unwrap(), Outcome::Replayed(answer.clone()));
    let other = wrapped.run(&asked(&key, &json!(0)), async || Ok(json!("again"))).await;
    assert!(matches!(other, Err(IdempotencyError::OtherPayload)), "{other:?}");

    // Rust completes, Python replays.
    let key = json!({"order": 2, "user": "ü"});
    let ran = wrapped.run(&asked(&key, &payload), async || Ok(answer.clone())).await;
    assert_eq!(ran.unwrap(), Outcome::New(answer.clone()));
    let replay = peer.ask(&run(&s, &key, &payload, &json!("again")).await).await;
    assert_eq!(replay, json!({"answer": answer, "ran": false}));
    let other = peer.ask(&run(&s, &key, &json!(0), &json!("again")).await).await;
    assert_eq!(other, json!({"error": "IdempotencyValidationError", "ran": false}));
}

#[tokio::test]
async fn while_one_is_at_it_the_other_is_refused() {
    let (s, mut peer) = (System::new().await, Peer::start());
    let wrapped = Wrapped::new(s.records.clone());
    let (key, payload) = (json!("order-3"), json!({"amount": 10}));

    // Python is at it.
    let mut hold = run(&s, &key, &payload, &json!("python")).await;
    hold["hold"] = json!(true);
    assert_eq!(peer.ask(&hold).await, json!({"holding": true}));
    let refused = wrapped.run(&asked(&key, &payload), async || Ok(json!("rust"))).await;
    // Until when is what Python's record says, by Python's clock.
    let held = &s.items().await[0]["in_progress_expiration"];
    match refused {
        Err(IdempotencyError::InProgress { until, .. }) => {
            assert_eq!(json!(until.as_millisecond()), *held);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(peer.ask(&json!("go on")).await, json!({"answer": "python", "ran": true}));
    let replay = wrapped.run(&asked(&key, &payload), async || Ok(json!("rust"))).await;
    assert_eq!(replay.unwrap(), Outcome::Replayed(json!("python")));

    // Rust is at it.
    let key = json!("order-4");
    let asked_once = asked(&key, &payload);
    let done = wrapped.run(&asked_once, async || {
        let refused = peer.ask(&run(&s, &key, &payload, &json!("python")).await).await;
        let refusal = json!({"error": "IdempotencyAlreadyInProgressError", "ran": false});
        assert_eq!(refused, refusal);
        Ok(json!("rust"))
    });
    assert_eq!(done.await.unwrap(), Outcome::New(json!("rust")));

    // Rust has died at it.
    let key = json!("order-5");
    let asked_before = asked(&key, &payload);
    let (claimed, has_claimed) = tokio::sync::oneshot::channel();
    let dies = wrapped.run::<Value>(&asked_before, async || {
        claimed.send(()).unwrap();
        std::future::pending().await
    });
    tokio::select! {
        _ = dies => unreachable!(),
        claimed = has_claimed => claimed.unwrap(),
    }
    let refused = peer.ask(&run(&s, &key, &payload, &json!("python")).await).await;
    assert_eq!(refused["error"], "IdempotencyAlreadyInProgressError");
}

/// JSON texts of every kind: numbers of any size and form, any Unicode, nesting, spaces.
fn json_text() -> impl Strategy<Value = String> {
    let string = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|boolean| boolean.to_string()),
        any::<i64>().prop_map(|integer| integer.to_string()),
        "-?(0|[1-9][0-9]{0,40})",
        "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,20}",
        "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,4})?[eE][+-]?[0-9]{1,3}",
        any::<f64>()
            .prop_filter("JSON has no such number", |f| f.is_finite())
            .prop_map(|f| format!("{f:e}")),
        string.clone(),
        "\"(\\\\u[0-9a-cA-C][0-9a-fA-F]{3}|\\\\[nrtbf/]|[ -!#-\\[\\]-~]){0,8}\"",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let member =
            (string.clone(), inner.clone()).prop_map(|(name, value)| format!("{name} :{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|all| format!("[{}]", all.join(" ,\n"))),
            prop::collection::vec(member, 0..6).prop_map(|all| format!("{{{}}}", all.join(", "))),
        ]
    })
}

#[test]
fn the_hash_of_any_json_is_pythons() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let peer = std::cell::RefCell::new(runtime.block_on(async { Peer::start() }));
    let config = ProptestConfig { cases: 1500, failure_persistence: None, ..Default::default() };
    TestRunner::new(config)
        .run(&json_text(), |text| {
            let raw: Box<RawValue> = serde_json::from_str(&text).unwrap();
            let asked = json!({"op": "hash", "json": text});
            let python = runtime.block_on(peer.borrow_mut().ask(&asked));
            prop_assert_eq!(hash_of(&raw).unwrap(), python["hash"].as_str().unwrap());
            Ok(())
        })
        .unwrap();
}
