//! Answers of authenticators and browsers that are not what they must be.

use ciborium::Value as Cbor;
use serde_json::{Value, json};

use super::authenticator::{
    Algorithm, BACKED_UP, BACKUP_ELIGIBLE, Device, HAS_EXTENSIONS, USER_PRESENT, USER_VERIFIED,
    cbor, decoded, encoded, map,
};
use super::{refused, with_passkey};
use crate::sessions::{ADA, with_ada};
use crate::support::{PASSWORD, Tokens};

/// What a device or a browser does wrong, and what an enrolment says of it.
type Wrong = (&'static str, fn(&mut Device));

const BOTH: [Wrong; 13] = [
    ("another origin", |it| it.origin = "https://evil.example".into()),
    ("another origin", |it| it.origin = "http://auth.example.org".into()),
    ("another origin", |it| it.origin = "https://auth.example.org:8443".into()),
    ("another origin", |it| it.origin = "https://sub.auth.example.org".into()),
    ("another host", |it| it.rp_id = "example.org".into()),
    ("another host", |it| it.rp_id = "evil.example".into()),
    ("in a frame", |it| it.client_data = json!({"crossOrigin": true})),
    ("of another type", |it| it.client_data = json!({"type": "payment.get"})),
    ("has not noticed the user", |it| it.flags &= !USER_PRESENT),
    ("has not made sure who", |it| it.flags &= !USER_VERIFIED),
    ("backups contradict", |it| it.flags = USER_PRESENT | USER_VERIFIED | BACKED_UP),
    ("cannot be read", |it| it.flags |= HAS_EXTENSIONS),
    ("cannot be read", |it| it.extensions = vec![0xa0]),
];

#[tokio::test]
async fn a_new_passkey_that_is_not_what_it_must_be_is_refused_with_the_reason() {
    let (auth, tokens) = with_ada().await;
    let statement = |value: Cbor| map(vec![("x5c", value)]);
    for (reason, wrong) in BOTH {
        let mut device = Device::new(Algorithm::Es256);
        wrong(&mut device);
        let answer = auth.add_passkey(&tokens, &mut device).await;
        says(&answer.ok(422), reason);
    }
    let attestations = [
        ("packed", statement(Cbor::Array(vec![]))),
        ("none", statement(1.into())),
        ("tpm", Cbor::Map(vec![])),
    ];
    for attestation in attestations {
        let mut device = Device::new(Algorithm::Es256);
        device.attestation = attestation;
        says(&auth.add_passkey(&tokens, &mut device).await.ok(422), "the attestation");
    }
    // By the passkey itself: of another key, and of its own.
    for (format, algorithm, status) in [
        ("none", Algorithm::Es256, 422),
        ("packed", Algorithm::EdDsa, 422),
        ("packed", Algorithm::Es256, 201),
    ] {
        let mut device = Device::new(algorithm);
        device.attestation = (format, Cbor::Null);
        let answer = auth.add_passkey(&tokens, &mut device).await;
        assert_eq!(answer.status, status, "{format} of {algorithm:?}");
    }
    assert_eq!(auth.passkeys(&tokens).await.len(), 1);
}

fn says(body: &Value, reason: &str) {
    assert_eq!(body["errors"][0]["field"], "credential", "{body}");
    let detail = body["errors"][0]["detail"].as_str().unwrap_or_default().to_owned();
    assert!(body.to_string().contains(reason), "{detail}: {body}");
}

#[tokio::test]
async fn a_key_that_is_none_of_ours_is_refused() {
    let (auth, tokens) = with_ada().await;
    let [x, y] = [[1; 32], [2; 32]].map(|bytes| Cbor::Bytes(bytes.to_vec()));
    let short = Cbor::Bytes(vec![1; 31]);
    let number = |number: i64| Cbor::from(number);
    let es256 = |alg: i64, curve: i64, x: &Cbor, y: &Cbor| {
        vec![
            (1, number(2)),
            (3, number(alg)),
            (-1, number(curve)),
            (-2, x.clone()),
            (-3, y.clone()),
        ]
    };
    let rsa = |length: usize, e: Vec<u8>| {
        let n = Cbor::Bytes([vec![0xff; length - 1], vec![1]].concat());
        vec![(1, number(3)), (3, number(-257)), (-1, n), (-2, Cbor::Bytes(e))]
    };
    let twice = [es256(-7, 1, &x, &y), vec![(-1, number(1))]].concat();
    let many = (0..100).map(|label| (label, number(0))).collect();
    for (what, entries) in [
        ("a point that is not on the curve", es256(-7, 1, &x, &y)),
        ("ES384", es256(-35, 2, &x, &y)),
        ("another curve", es256(-7, 2, &x, &y)),
        ("a short coordinate", es256(-7, 1, &short, &y)),
        ("a text for a coordinate", es256(-7, 1, &Cbor::Text("x".into()), &y)),
        ("a label twice", twice),
        ("many labels", many),
        ("no label", vec![]),
        (
            "an Ed25519 key of 31 bytes",
            vec![(1, number(1)), (3, number(-8)), (-1, number(6)), (-2, short.clone())],
        ),
        ("an algorithm without bounds", vec![(1, Cbor::from(u64::MAX)), (3, Cbor::from(u64::MAX))]),
        ("RSA of 1,024 bits", rsa(128, vec![1, 0, 1])),
        ("RSA of 8,192 bits", rsa(1_024, vec![1, 0, 1])),
        ("RSA without an exponent", rsa(256, vec![])),
        ("RSA with the exponent 0", rsa(256, vec![0])),
    ] {
        let mut device = Device::new(Algorithm::Es256);
        device.cose = Some(cbor(&map(entries)));
        let answer = auth.add_passkey(&tokens, &mut device).await;
        assert_eq!(answer.problem(), (422, "invalid-passkey"), "{what}");
    }
    assert!(auth.passkeys(&tokens).await.is_empty());
}

#[tokio::test]
async fn a_signature_that_is_not_what_it_must_be_is_refused() {
    let (auth, tokens, mut device, _) = with_passkey().await;
    for (reason, wrong) in BOTH {
        let (origin, rp_id, flags) = (device.origin.clone(), device.rp_id.clone(), device.flags);
        wrong(&mut device);
        assert_eq!(auth.sign_in_by(&mut device).await.problem(), refused(), "{reason}");
        (device.origin, device.rp_id, device.flags) = (origin, rp_id, flags);
        (device.client_data, device.extensions) = (json!({}), vec![]);
        auth.sign_in_by(&mut device).await.ok(200);
    }
    // What may have copies never becomes what may not.
    device.flags &= !(BACKUP_ELIGIBLE | BACKED_UP);
    assert_eq!(auth.sign_in_by(&mut device).await.problem(), refused());
    assert_eq!(auth.passkeys(&tokens).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_altered_at_any_byte_is_refused() {
    let (auth, _, mut device, _) = with_passkey().await;
    let used = device.get(&auth.sign_in_options().await);
    for member in ["authenticatorData", "signature", "userHandle", "clientDataJSON"] {
        let bytes = decoded(&used["response"][member]);
        let step = if member == "clientDataJSON" { 7 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            let mut altered = used.clone();
            let mut other = bytes.clone();
            other[at] ^= 1;
            altered["response"][member] = encoded(&other);
            assert_eq!(auth.present(&altered).await.problem(), refused(), "{member} at {at}");
            altered["response"][member] = encoded(&bytes[..at]);
            assert_eq!(auth.present(&altered).await.problem(), refused(), "{member} up to {at}");
        }
    }
    auth.present(&used).await.ok(200);
}

#[tokio::test]
async fn a_challenge_is_for_one_purpose_and_one_user() {
    let (auth, tokens, mut device, _) = with_passkey().await;
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;
    let mut of_bob = Device::new(Algorithm::EdDsa);
    let options_of_bob = auth.passkey_options(&bob).await;
    let options = auth.passkey_options(&tokens).await;
    let mut fresh = Device::new(Algorithm::Es256);
    let invalid = (422, "invalid-passkey");
    // The options of another user, and of another session of the same user.
    let made = fresh.create(&options_of_bob);
    assert_eq!(auth.add_credential(&tokens, &made).await.problem(), invalid);
    let other = Tokens::of(&auth.sign_in_by(&mut device).await.ok(200));
    let made = fresh.create(&options);
    assert_eq!(auth.add_credential(&other, &made).await.problem(), invalid);
    // A challenge of a sign-in for an enrolment, and the other way round.
    let made = fresh.create_as("webauthn.create", &auth.sign_in_options().await);
    assert_eq!(auth.add_credential(&tokens, &made).await.problem(), invalid);
    let used = device.get_as("webauthn.get", &options);
    assert_eq!(auth.present(&used).await.problem(), refused());
    // The types mixed up.
    let made = fresh.create_as("webauthn.get", &options);
    assert_eq!(auth.add_credential(&tokens, &made).await.problem(), invalid);
    let used = device.get_as("webauthn.create", &auth.sign_in_options().await);
    assert_eq!(auth.present(&used).await.problem(), refused());
    // The second step of Ada with a passkey of Bob.
    auth.add_credential(&bob, &of_bob.create(&options_of_bob)).await.ok(201);
    let used = of_bob.get(&auth.second_step_options().await);
    assert_eq!(auth.present(&used).await.problem(), refused());
    auth.sign_in_by(&mut of_bob).await.ok(200);
}

#[tokio::test]
async fn a_passkey_of_one_user_signs_nobody_else_in() {
    let (auth, _, mut device, _) = with_passkey().await;
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;
    let mut of_bob = Device::new(Algorithm::Es256);
    auth.add_passkey(&bob, &mut of_bob).await.ok(201);
    let bob = Tokens::of(&auth.sign_in_by(&mut of_bob).await.ok(200));
    // Bob's signature with the id of Ada's passkey; with Ada as the user; with both.
    let ada = device.user.clone();
    let own = (of_bob.id.clone(), of_bob.user.clone());
    for (id, user) in
        [(device.id.clone(), own.1.clone()), (own.0, ada.clone()), (device.id.clone(), ada)]
    {
        (of_bob.id, of_bob.user) = (id, user);
        assert_eq!(auth.sign_in_by(&mut of_bob).await.problem(), refused());
    }
    // The id of Ada's passkey for a new one of Bob.
    let mut taken = Device::new(Algorithm::Es256);
    taken.id.clone_from(&device.id);
    assert_eq!(auth.add_passkey(&bob, &mut taken).await.problem(), (409, "passkey-known"));
    // The id beside the data is not the one in the data.
    let mut fresh = Device::new(Algorithm::Es256);
    let mut made = fresh.create(&auth.passkey_options(&bob).await);
    made["id"] = encoded(&device.id);
    assert_eq!(auth.add_credential(&bob, &made).await.problem(), (422, "invalid-passkey"));
    auth.sign_in_by(&mut device).await.ok(200);
}

#[tokio::test]
async fn a_challenge_is_good_once_and_for_five_minutes_to_the_second() {
    let (auth, tokens, mut device, _) = with_passkey().await;
    for seconds in [299, 300] {
        let used = device.get(&auth.sign_in_options().await);
        let step = device.get(&auth.second_step_options().await);
        let mut fresh = Device::new(Algorithm::EdDsa);
        let made = fresh.create(&auth.passkey_options(&tokens).await);
        auth.seconds(seconds);
        let is_good = seconds < 300;
        let (ok, created) = if is_good { (200, 201) } else { (401, 422) };
        assert_eq!(auth.present(&used).await.status, ok);
        assert_eq!(auth.present(&step).await.status, ok);
        assert_eq!(auth.add_credential(&tokens, &made).await.status, created);
        for again in [used, step] {
            assert_eq!(auth.present(&again).await.problem(), refused());
        }
    }
}

/// What was made once is not made again after a removal.
#[tokio::test]
async fn an_enrolment_does_not_come_back_after_a_removal() {
    let (auth, tokens, _, _) = with_passkey().await;
    let mut device = Device::new(Algorithm::Es256);
    let made = device.create(&auth.passkey_options(&tokens).await);
    auth.add_credential(&tokens, &made).await.ok(201);
    assert_eq!(auth.add_credential(&tokens, &made).await.problem(), (409, "passkey-known"));
    auth.removed_all(&tokens).await;
    assert_eq!(auth.add_credential(&tokens, &made).await.problem(), (422, "invalid-passkey"));
    auth.sign_in(ADA, PASSWORD).await.ok(200);
}

#[tokio::test]
async fn a_counter_that_does_not_go_up_is_refused() {
    let (auth, tokens) = with_ada().await;
    let mut device = Device::new(Algorithm::Es256);
    device.counter = Some(7);
    auth.add_passkey(&tokens, &mut device).await.ok(201);
    auth.sign_in_by(&mut device).await.ok(200);
    for (counter, is_good) in
        [(Some(20), true), (Some(20), false), (Some(3), false), (None, false), (Some(21), true)]
    {
        // The next signature has this number.
        device.counter = counter.map(|next| next - 1);
        let answer = auth.sign_in_by(&mut device).await;
        assert_eq!(answer.status, if is_good { 200 } else { 401 }, "{counter:?}");
    }
    // An authenticator that does not count may begin to.
    let tokens = Tokens::of(&auth.sign_in_by(&mut device).await.ok(200));
    let mut synced = Device::new(Algorithm::EdDsa);
    auth.add_passkey(&tokens, &mut synced).await.ok(201);
    for _ in 0..3 {
        auth.sign_in_by(&mut synced).await.ok(200);
    }
    synced.counter = Some(0);
    auth.sign_in_by(&mut synced).await.ok(200);
    synced.counter = None;
    assert_eq!(auth.sign_in_by(&mut synced).await.problem(), refused());
}
