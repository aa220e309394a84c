//! Odd bodies: each gets a page that says what is wrong, and none an error of ours.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{PAGES, opened, sent, sent_as};
use crate::sessions::ADA;
use crate::support::{Auth, PASSWORD, auth};

static AUTH: LazyLock<(Runtime, Auth)> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let auth = runtime.block_on(auth());
    (runtime, auth)
});

/// The event with another header; `null` leaves it out.
fn with(mut event: Value, name: &str, value: &Value) -> Value {
    match value {
        Value::Null => drop(event["headers"].as_object_mut().unwrap().remove(name)),
        value => event["headers"][name] = value.clone(),
    }
    event
}

#[tokio::test]
async fn a_body_that_is_no_form_of_ours_gets_a_page() {
    let auth = auth().await;
    let typed = |kind: &Value| with(sent("register", &[("email", ADA)]), "content-type", kind);
    for kind in [json!("application/json"), json!("text/plain"), json!(""), Value::Null] {
        auth.browse(typed(&kind)).await.says(415, "only a form");
    }
    for kind in
        ["application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-Urlencoded"]
    {
        auth.browse(typed(&json!(kind))).await.says(200, "on its way");
    }
    let large = "a".repeat(64 * 1024);
    for page in PAGES {
        for (body, status) in [
            (&b"email=%FF&token=%FF&password=%FF"[..], 400),
            (b"password=\xc3\x28", 400),
            (b"email=ada%40example.org&email=bob%40example.org", 400),
            (b"password=a&password=b&token=", 400),
            (format!("email={large}").as_bytes(), 413),
            (b"", 422),
            (b"&&&", 422),
            (b"=", 422),
            (b"%", 422),
            (b"email=%zz", 422),
            (b"{\"email\": \"ada@example.org\"}", 422),
        ] {
            let answer = auth.browse(sent_as(page, body)).await;
            assert_eq!(answer.status, status, "{page} {body:?}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_request_that_the_edge_refuses_gets_a_page() {
    let auth = auth().await;
    let form = || sent("register", &[("email", ADA)]);
    let mut broken = form();
    broken["body"] = json!("!");
    let long = opened("confirm", &format!("token={}", "A".repeat(9_000)));
    for (event, status) in [
        (broken, 400),
        (with(form(), "content-encoding", &json!("br")), 415),
        (with(form(), "content-encoding", &json!("gzip")), 400),
        (with(form(), "arsenal-version", &json!("1999-01-01")), 400),
        (with(form(), "x y", &json!("1")), 400),
        (with(form(), "x-large", &json!("a".repeat(17_000))), 431),
        (long, 414),
        (json!(null), 400),
        (with(form(), "accept", &json!("text/html")), 200),
        (with(form(), "accept", &json!("image/png")), 200),
    ] {
        let answer = auth.browse(event).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

/// A pasted secret is used as it is, with all its spaces and signs.
#[tokio::test]
async fn a_password_of_any_characters_is_kept() {
    let auth = auth().await;
    for (number, password) in
        [" seven owls & 5% ", "p&w=+%20; owls <é🔑>", PASSWORD].iter().enumerate()
    {
        let email = format!("ada{number}@example.org");
        let token = auth.asked_by_page("register", &email).await;
        auth.browse(sent("confirm", &[("token", &token), ("password", password)]))
            .await
            .says(200, "");
        auth.sign_in(&email, password).await.ok(200);
        assert_eq!(
            auth.sign_in(&email, password.trim()).await.status == 200,
            *password == password.trim()
        );
    }
}

fn odd_body() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec!["email", "token", "password", "e%6Dail", "", "x"]);
    let value = prop_oneof![
        "[a-z]{1,8}%40[a-z]{1,8}\\.[a-z]{2}",
        "arsenal_ml_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]",
        "(%[0-9a-fA-F]{2}|[a-z+%;<>\"']){0,20}",
        ".{0,20}",
    ];
    let pairs = prop::collection::vec((name, value), 0..4).prop_map(|pairs| {
        let pairs: Vec<_> =
            pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&").into_bytes()
    });
    prop_oneof![3 => pairs, 1 => prop::collection::vec(any::<u8>(), 0..80)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_form_gets_a_page_and_none_an_error_of_ours(
        page in prop::sample::select(PAGES.to_vec()),
        body in odd_body(),
        query in "[a-z=&%0-9]{0,20}",
    ) {
        let (runtime, auth) = &*AUTH;
        let mut event = sent_as(page, &body);
        event["rawQueryString"] = json!(query);
        let answer = runtime.block_on(auth.browse(event));
        prop_assert!([200, 400, 422].contains(&answer.status), "{}: {}", answer.status, answer.body);
    }
}
