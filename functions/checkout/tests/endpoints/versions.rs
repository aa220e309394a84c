//! Answers with several forms: each version gets its own.

use checkout::saga::STEP_TIME;
use serde_json::{Value, json};

use crate::support::{Ask, Shop, ask, euro, shop};

const FORMER: &str = "2026-11-30";
const LISTED: &str = "2026-12-01";

/// A request of an admin for an order with a refund and a dispute that the shop did not ask for; their ids.
async fn disputed(s: &Shop) -> (Ask, String, String) {
    let (_, id) = s.confirmed().await;
    let payment = s.order(id).await.payment.unwrap();
    let refund = s.provider.refund_by_hand(&payment.0, 700).await;
    let dispute = s.provider.dispute(&payment.0, "needs_response").await;
    s.saga.compare_payment(&payment, s.clock.now() + 2 * STEP_TIME).await.unwrap();
    (ask("get-order").order(id).scope("orders:read admin"), refund, dispute)
}

#[tokio::test]
async fn each_version_gets_its_own_form_of_an_order() {
    let s = shop().await;
    let (get, refund, dispute) = disputed(&s).await;
    let former = get.clone().header("arsenal-version", FORMER).of(&s).await;
    let listed = get.clone().header("arsenal-version", LISTED).of(&s).await;
    let unnamed = get.of(&s).await;
    assert_eq!((unnamed.status, &unnamed.text), (200, &former.text), "the oldest is the default");

    let found = json!({"amount": euro(700), "origin": "by_hand", "has_failed": false});
    let with_id = |id: &str, record: &Value| {
        let mut record = record.clone();
        record["id"] = json!(id);
        json!([record])
    };
    assert_eq!(former.body["found_refunds"], json!({ &refund: found }));
    assert_eq!(listed.body["found_refunds"], with_id(&refund, &found));
    let record = &former.body["disputes"][&dispute];
    assert_eq!(record["funds"], "withdrawn");
    assert_eq!(listed.body["disputes"], with_id(&dispute, record));

    let entry = |number: &str| json!({number: 1, "at": "2026-11-21T10:00:00Z", "event": "placed"});
    assert_eq!(former.body["history"][0], entry("version"));
    assert_eq!(listed.body["history"][0], entry("number"));
    // All else is the same.
    let common = |mut order: Value| {
        let members = order.as_object_mut().unwrap();
        members.retain(|name, _| !["found_refunds", "disputes", "history"].contains(&&**name));
        order
    };
    assert_eq!(common(former.body), common(listed.body));
}

#[tokio::test]
async fn a_form_that_ends_says_so_and_the_newest_does_not() {
    let s = shop().await;
    let (_, id) = s.ordered().await;
    let get = ask("get-order").order(id).scope("orders:read admin");
    let headers = ["arsenal-version", "deprecation", "sunset", "link", "vary"];
    let page = r#"</docs/versions.html>; rel="deprecation"; type="text/html""#;
    let sunset = "Wed, 01 Dec 2027 00:00:00 GMT";
    let former = [FORMER, "@1796083200", sunset, page, "arsenal-version"].map(Some);
    let listed = [Some(LISTED), None, None, None, Some("arsenal-version")];
    for (sent, expected) in [(None, former), (Some(FORMER), former), (Some(LISTED), listed)] {
        let get = sent.map_or(get.clone(), |sent| get.clone().header("arsenal-version", sent));
        let answer = get.of(&s).await;
        assert_eq!(headers.map(|name| answer.header(name)), expected, "{sent:?}");
        // The answer is revalidated in its own form only, and a 304 says the same of it.
        let tag = answer.header("etag").unwrap();
        let again = get.header("if-none-match", tag).of(&s).await;
        assert_eq!((again.status, headers.map(|name| again.header(name))), (304, expected));
        let other = if sent == Some(LISTED) { FORMER } else { LISTED };
        let get =
            ask("get-order").order(id).scope("orders:read admin").header("arsenal-version", other);
        assert_eq!(get.header("if-none-match", tag).of(&s).await.status, 200);
    }
}

#[tokio::test]
async fn an_unknown_version_is_refused_everywhere_and_changes_nothing() {
    let s = shop().await;
    s.sell("book-rust-2e", 100).await;
    for version in ["2026-12-02", "latest", "", "2026-11-30, 2026-12-01"] {
        for name in ["get-order", "get-cart", "set-in-cart", "add-to-cart", "on-provider-event"] {
            let answer = ask(name).header("arsenal-version", version).of(&s).await;
            assert_eq!(answer.problem(), (400, "unknown-version"), "{name} {version:?}");
            let field = ("Arsenal-Version", "one of 2026-11-30, 2026-12-01");
            assert_eq!((answer.field(), answer.header("arsenal-version")), (field, None));
        }
    }
    assert_eq!(ask("get-cart").of(&s).await.ok(200)["lines"], json!([]));
    // Endpoints whose answers have one form take each version.
    let cart = ask("get-cart").header("arsenal-version", LISTED).of(&s).await;
    assert_eq!((cart.status, cart.header("arsenal-version")), (200, Some(LISTED)));
}
