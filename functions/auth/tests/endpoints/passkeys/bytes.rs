//! Bytes that are none of an authenticator: never an error of ours.

use ciborium::Value as Cbor;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::authenticator::{Algorithm, Device, cbor, decoded, encoded, map};
use super::with_passkey;
use crate::support::Auth;

/// Whether an answer is a refusal of the caller.
fn is_refused(status: u16) -> bool {
    (400..500).contains(&status)
}

#[tokio::test]
async fn deep_large_cut_and_doubled_structures_are_refused() {
    let (auth, tokens, _, _) = with_passkey().await;
    let mut device = Device::new(Algorithm::Es256);
    let good = device.create(&auth.passkey_options(&tokens).await);
    let object = decoded(&good["response"]["attestationObject"]);
    let data = {
        let value: Cbor = ciborium::from_reader(&object[..]).unwrap();
        value.as_map().unwrap()[2].1.clone()
    };
    let nothing = Cbor::Map(vec![]);
    let of = |entries: Vec<(&str, Cbor)>| cbor(&map(entries));
    let deep = [vec![0x81; 10_000], vec![0]].concat();
    let deep_statement =
        [of(vec![("fmt", "none".into()), ("authData", data.clone())]), deep.clone()].concat();
    let wide = cbor(&Cbor::Array(vec![Cbor::Null; 10_000]));
    let with_fmt_twice = of(vec![
        ("fmt", "none".into()),
        ("attStmt", nothing.clone()),
        ("authData", data.clone()),
        ("fmt", "none".into()),
    ]);
    let mut objects = vec![
        vec![],
        deep,
        deep_statement,
        wide,
        with_fmt_twice,
        vec![0xbf; 10_000],
        [&object[..], &[0]].concat(),
        of(vec![("fmt", "none".into()), ("attStmt", Cbor::Null), ("authData", data.clone())]),
        of(vec![("fmt", 1.into()), ("attStmt", nothing.clone()), ("authData", data)]),
        of(vec![("fmt", "none".into()), ("attStmt", nothing.clone()), ("authData", "text".into())]),
        of(vec![
            ("fmt", "none".into()),
            ("attStmt", nothing),
            ("authData", Cbor::Bytes(vec![0xff; 11_000])),
        ]),
    ];
    objects.extend((0..object.len()).map(|length| object[..length].to_vec()));
    for object in objects {
        let mut bad = good.clone();
        bad["response"]["attestationObject"] = encoded(&object);
        let answer = auth.add_credential(&tokens, &bad).await;
        assert_eq!(answer.problem(), (422, "invalid-passkey"), "{} bytes", object.len());
    }
    // The limits of a body: a text of more than 16 KiB, and a body of more than 64.
    for length in [16_000, 64_000] {
        let mut bad = good.clone();
        bad["response"]["attestationObject"] = encoded(&vec![0x81; length]);
        let status = auth.add_credential(&tokens, &bad).await.status;
        assert!(is_refused(status), "{status}");
    }
    auth.add_credential(&tokens, &good).await.ok(201);
}

#[tokio::test]
async fn client_data_that_can_be_read_in_two_ways_is_refused() {
    let (auth, _, mut device, _) = with_passkey().await;
    let options = auth.sign_in_options().await;
    let good = device.get(&options);
    let said = String::from_utf8(device.said("webauthn.get", &options)).unwrap();
    let twice = said.replacen('{', "{\"origin\": \"https://auth.example.org\",", 1);
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for text in ["", "{}", "null", "[]", "\u{feff}{}", &twice, &deep, &format!("{said}{said}")] {
        let mut bad = good.clone();
        bad["response"]["clientDataJSON"] = encoded(text.as_bytes());
        assert_eq!(auth.present(&bad).await.status, 401, "{text}");
    }
    let mut bad = good.clone();
    bad["response"]["clientDataJSON"] = encoded(b"\xff\xfe{}");
    assert_eq!(auth.present(&bad).await.status, 401);
    auth.present(&good).await.ok(200);
}

#[tokio::test]
async fn members_of_another_kind_are_named() {
    let (auth, tokens, _, _) = with_passkey().await;
    for credential in [
        json!(null),
        json!([]),
        json!({}),
        json!({"id": "", "type": "public-key", "response": {}}),
        json!({"id": "AA=", "type": "public-key", "response": {}}),
        json!({"id": "AA", "type": "password", "response": {}}),
        json!({"id": "A".repeat(2_000), "type": "public-key", "response": {}}),
        json!({"id": "AA", "type": "public-key", "response": {"clientDataJSON": "+/"}}),
        json!({"id": "AA", "type": "public-key", "response": {"clientDataJSON": 1}}),
    ] {
        for answer in
            [auth.present(&credential).await, auth.add_credential(&tokens, &credential).await]
        {
            assert_eq!(answer.problem(), (422, "invalid-body"), "{credential}");
            let field = answer.body["errors"][0]["field"].as_str().unwrap();
            assert!(field.starts_with("credential"), "{field}");
        }
    }
}

/// Bytes of any kind, and bytes that begin as good ones.
fn mutated(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = good.len();
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        (0..length, any::<u8>(), proptest::collection::vec(any::<u8>(), 0..8)).prop_map(
            move |(at, byte, rest)| {
                let mut bytes = good.clone();
                bytes[at] = byte;
                bytes.extend(rest);
                bytes
            }
        ),
    ]
}

async fn status_of(auth: &Auth, good: &Value, member: &str, bytes: &[u8]) -> u16 {
    let mut bad = good.clone();
    bad["response"][member] = encoded(bytes);
    auth.present(&bad).await.status
}

#[tokio::test]
async fn no_bytes_are_an_error_of_ours() {
    let (auth, tokens, mut device, _) = with_passkey().await;
    let mut runner = TestRunner::deterministic();
    let used = device.get(&auth.sign_in_options().await);
    for member in ["clientDataJSON", "authenticatorData", "signature", "userHandle"] {
        let good = decoded(&used["response"][member]);
        for _ in 0..100 {
            let bytes = mutated(good.clone()).new_tree(&mut runner).unwrap().current();
            if bytes != good {
                assert_eq!(status_of(&auth, &used, member, &bytes).await, 401, "{bytes:02x?}");
            }
        }
    }
    let made = Device::new(Algorithm::Es256).create(&auth.passkey_options(&tokens).await);
    let good = decoded(&made["response"]["attestationObject"]);
    for _ in 0..300 {
        let bytes = mutated(good.clone()).new_tree(&mut runner).unwrap().current();
        let mut bad = made.clone();
        bad["response"]["attestationObject"] = encoded(&bytes);
        let status = auth.add_credential(&tokens, &bad).await.status;
        // Another byte of the AAGUID changes nothing that counts.
        assert!(status == 201 || is_refused(status), "{status} for {bytes:02x?}");
        if status == 201 {
            break;
        }
    }
}
