//! The messages to merchants' webhook endpoints.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use checkout::deliver_webhook::Events;
use checkout::merchant::Endpoint;
use checkout::order::OrderId;
use checkout::queues::{MAX_DELIVERIES, Tell, Told};
use futures::future::join_all;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shared::batch::{Failure, Message};
use shared::fault::{Run, walk};
use shared::webhook::{Courier, Deliver, FAILING_FOR, OVERLAP, Webhook};
use testing::contract::CONTRACT;
use testing::{account, event};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::merchants::{WAREHOUSE, listed, put, warehouse};
use crate::support::{Shop, ask, euro, shop};

/// Puts an endpoint at `server`. Returns its secret.
async fn merchant(s: &Shop, server: &MockServer) -> String {
    let webhook = Webhook::at(format!("{}/hook", server.uri())).unwrap();
    let secret = webhook.secret.expose_secret().to_owned();
    let endpoint = Endpoint { name: WAREHOUSE.parse().unwrap(), webhook, created_at: s.now() };
    let before = s.store.endpoints_to_change().await.unwrap();
    let token = s.customer().to_string();
    assert!(s.store.put_endpoint(&token, &before, &endpoint).await.unwrap());
    secret
}

/// Runs a job that SQS delivers for the `receive_count`th time.
async fn tell(s: &Shop, order: OrderId, event: u32, receive_count: u32) -> Result<(), Failure> {
    let about = Told { endpoint: WAREHOUSE.parse().unwrap(), order, event };
    deliver(s, Tell::V1 { about }, receive_count).await
}

async fn deliver(s: &Shop, body: Tell, receive_count: u32) -> Result<(), Failure> {
    let deliver = Deliver {
        store: s.store.webhooks(),
        courier: Courier::new(true).unwrap(),
        clock: s.clock.clone(),
        ids: s.ids.clone(),
    };
    let events = Events { store: s.store.clone() };
    let job = Message { message_id: "m".into(), receive_count, group: None, body };
    deliver.job(&events, job, MAX_DELIVERIES).await
}

async fn answering(status: u16) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
    Mock::given(method("POST")).and(path("/hook")).respond_with(answer).mount(&server).await;
    server
}

async fn sent(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    for request in &requests {
        CONTRACT.check_webhook(&request.body);
    }
    requests.iter().map(|request| request.body_json().unwrap()).collect()
}

#[tokio::test]
async fn a_410_disables_the_endpoint_and_the_list_shows_it() {
    let (s, server) = (shop().await, answering(410).await);
    merchant(&s, &server).await;
    let (_, id) = s.confirmed().await;
    for _ in 0..2 {
        tell(&s, id, 1, 1).await.unwrap();
    }
    assert_eq!(sent(&server).await.len(), 1);
    let disabled = json!({"at": s.now(), "reason": "gone"});
    assert_eq!(listed(&s).await[0]["disabled"], disabled);

    put(WAREHOUSE, "https://1.1.1.1/").of(&s).await.ok(200);
    assert_eq!(listed(&s).await[0].get("disabled"), None, "the put enables it");
}

#[test]
fn the_sample_job_parses() {
    let sample: Value = serde_json::from_str(&event("checkout-deliver-webhook")).unwrap();
    let body = sample["Records"][0]["body"].as_str().unwrap();
    let Tell::V1 { about: Told { endpoint, event, .. } } = serde_json::from_str(body).unwrap()
    else {
        panic!("{body}");
    };
    assert_eq!((endpoint.to_string().as_str(), event), (WAREHOUSE, 1));
}

#[tokio::test]
async fn a_message_is_signed_and_contains_the_order_as_of_the_event() {
    let (s, server) = (shop().await, answering(204).await);
    let secret = merchant(&s, &server).await;
    let (customer, id) = s.confirmed().await;
    s.advance(std::time::Duration::from_secs(9));
    ask("refund-order").order(id).of(&s).await.ok(202);
    s.work(id).await;
    // The last event first, and the first event twice.
    let history = s.store.history(id).await.unwrap();
    let confirmed = history.iter().find(|it| it.event.name() == "confirmed").unwrap().version;
    let last = history.last().unwrap().version;
    for event in [last, confirmed, 1, 1] {
        tell(&s, id, event, 1).await.unwrap();
    }

    let requests = server.received_requests().await.unwrap();
    let header = |index: usize, name: &str| requests[index].headers[name].to_str().unwrap();
    assert_eq!(requests.len(), 3, "a delivered message is not posted again");
    let ids: Vec<_> = (0..3).map(|index| header(index, "webhook-id")).collect();
    assert_eq!(ids[2], format!("msg_{id}_1"));
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    assert_eq!(header(0, "webhook-timestamp"), s.now().as_second().to_string());
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    for (index, request) in requests.iter().enumerate() {
        let body = std::str::from_utf8(&request.body).unwrap();
        let signed = format!("{}.{}.{body}", ids[index], header(index, "webhook-timestamp"));
        let signature = header(index, "webhook-signature").strip_prefix("v1,").unwrap();
        let signature = BASE64_STANDARD.decode(signature).unwrap();
        hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
    }

    let sent = sent(&server).await;
    let seen = |sent: &Value| {
        let data = &sent["data"];
        [&sent["type"], &sent["timestamp"], &data["status"], &data["refunded"]].map(Value::clone)
    };
    let (at, later) = ("2026-11-21T10:00:00Z", "2026-11-21T10:00:09Z");
    let refund = [json!("refund.succeeded"), json!(later), json!("confirmed"), euro(500)];
    assert_eq!(seen(&sent[0]), refund);
    assert_eq!(seen(&sent[1]), [json!("order.confirmed"), json!(at), json!("confirmed"), euro(0)]);
    assert_eq!(seen(&sent[2]), [json!("order.placed"), json!(at), json!("processing"), euro(0)]);
    for sent in &sent {
        assert_eq!(
            (&sent["data"]["id"], &sent["data"]["customer"]),
            (&json!(id), &json!(customer))
        );
        assert!(!sent.to_string().contains("pm_card"));
    }
}

#[tokio::test]
async fn a_cancelled_order_is_posted_too() {
    let (s, server) = (shop().await, answering(200).await);
    merchant(&s, &server).await;
    let (customer, id) = s.ordered().await;
    ask("cancel-order").order(id).by(customer).of(&s).await.ok(200);
    s.work(id).await;
    let last = s.order(id).await.version;
    tell(&s, id, last, 1).await.unwrap();
    let sent = sent(&server).await;
    let expected = (&json!("order.cancelled"), &json!("cancelled"), &json!("customer"));
    let data = &sent[0]["data"];
    assert_eq!((&sent[0]["type"], &data["status"], &data["reason"]), expected);
}

#[tokio::test]
async fn a_failed_delivery_is_retried_and_finally_given_up() {
    let s = shop().await;
    let (_, id) = s.ordered().await;
    for status in [500, 404, 302] {
        let server = answering(status).await;
        merchant(&s, &server).await;
        for count in [1, MAX_DELIVERIES] {
            let failed = tell(&s, id, 1, count).await;
            assert!(matches!(failed, Err(Failure::Retry { .. })), "{status}, {count}");
        }
        let last = tell(&s, id, 1, MAX_DELIVERIES + 1).await;
        assert!(matches!(last, Err(Failure::Permanent(_))), "{status}");
        assert_eq!(sent(&server).await.len(), 3, "redirects are not followed");
    }
}

#[tokio::test]
async fn a_deleted_endpoint_gets_no_messages() {
    let (s, server) = (shop().await, answering(200).await);
    let (_, id) = s.ordered().await;
    tell(&s, id, 1, 1).await.unwrap();
    merchant(&s, &server).await;
    ask("delete-endpoint").of(&s).await.ok(204);
    tell(&s, id, 1, 1).await.unwrap();
    // An event that does not exist is not posted.
    merchant(&s, &server).await;
    tell(&s, id, 2, 1).await.unwrap();
    tell(&s, s.ids.next(), 1, 1).await.unwrap();
    assert!(sent(&server).await.is_empty());
}

/// The deliveries to the merchant, newest first.
async fn deliveries(s: &Shop) -> Vec<Value> {
    let page = ask("list-deliveries").of(s).await.ok(200);
    page["deliveries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_admin_lists_deliveries_and_resends_them() {
    let (s, server) = (shop().await, answering(500).await);
    assert_eq!(ask("list-deliveries").of(&s).await.problem(), (404, "not-found"));
    assert_eq!(ask("resend-delivery").of(&s).await.problem(), (404, "not-found"));
    merchant(&s, &server).await;
    assert_eq!(ask("resend-delivery").of(&s).await.problem(), (404, "not-found"));
    assert!(deliveries(&s).await.is_empty());

    let (_, id) = s.ordered().await;
    for count in [1, MAX_DELIVERIES + 1] {
        tell(&s, id, 1, count).await.unwrap_err();
    }
    let given_up = &deliveries(&s).await[0];
    let delivery = format!("1795255200000-msg_{id}_1");
    let expected = json!({
        "id": delivery,
        "message_id": format!("msg_{id}_1"),
        "type": "order.placed",
        "created_at": "2026-11-21T10:00:00Z",
        "outcome": "given_up",
        "attempts": 2,
        "last_attempt": {"at": "2026-11-21T10:00:00Z", "status": 500},
    });
    assert_eq!(*given_up, expected);

    server.reset().await;
    let answer = ResponseTemplate::new(200);
    Mock::given(path("/hook")).respond_with(answer).mount(&server).await;
    let resend = ask("resend-delivery").order(id);
    for _ in 0..2 {
        let answer = resend.of(&s).await.ok(202);
        assert_eq!((&answer["id"], &answer["outcome"]), (&json!(delivery), &json!("pending")));
        let jobs = account::drain(&s.aws, &s.webhooks_url).await;
        assert_eq!(jobs.len(), 1);
        deliver(&s, serde_json::from_str(&jobs[0]).unwrap(), 1).await.unwrap();
        assert_eq!(deliveries(&s).await[0]["outcome"], "delivered");
    }
    let requests = server.received_requests().await.unwrap();
    let ids: Vec<_> =
        requests.iter().map(|it| it.headers["webhook-id"].to_str().unwrap()).collect();
    assert_eq!(ids, [format!("msg_{id}_1"), format!("msg_{id}_1")]);
    assert_eq!(sent(&server).await[0]["data"]["id"], json!(id));

    for bad in ["x", "1795255200000-", "1795255200000-a%20b", "1795255200000-msg_other_1"] {
        let answer = resend.clone().about(&delivery, bad).of(&s).await;
        assert_eq!(answer.problem(), (404, "not-found"), "{bad}");
    }
    let answer = ask("list-deliveries").query("limit=0").of(&s).await;
    assert_eq!((answer.problem(), answer.field().0), ((400, "invalid-parameter"), "limit"));
}

#[tokio::test]
async fn an_endpoint_that_fails_for_five_days_is_disabled_until_it_is_put_again() {
    let (s, server) = (shop().await, answering(500).await);
    let secret = merchant(&s, &server).await;
    let (_, id) = s.ordered().await;
    tell(&s, id, 1, 1).await.unwrap_err();
    s.advance(FAILING_FOR);
    tell(&s, id, 1, MAX_DELIVERIES + 1).await.unwrap_err();
    let disabled = json!({"at": s.now(), "reason": "failing"});
    assert_eq!(listed(&s).await[0]["disabled"], disabled);
    let refused = ask("resend-delivery").order(id).of(&s).await;
    assert_eq!(refused.problem(), (409, "webhook-disabled"));

    // The API cannot set up this state, so the test writes it to the table.
    let name = WAREHOUSE.parse().unwrap();
    let mut endpoint = warehouse(&s).await.unwrap();
    let before = s.store.endpoints_to_change().await.unwrap();
    endpoint.webhook = Webhook::signed_by("https://1.1.1.1/".into(), secret.clone().into());
    s.store.put_endpoint(&s.customer().to_string(), &before, &endpoint).await.unwrap();
    let place = checkout::store::Store::place(&name);
    let client = aws_sdk_dynamodb::Client::new(&s.aws);
    let (pk, sk) = place.endpoint;
    let text = aws_sdk_dynamodb::types::AttributeValue::S;
    let update =
        client.update_item().table_name("checkout").key("pk", text(pk)).key("sk", text(sk));
    let update =
        update.update_expression("SET webhook.failed_at = :at, webhook.failing_since = :at");
    update.expression_attribute_values(":at", text(s.now().to_string())).send().await.unwrap();
    assert_eq!(listed(&s).await[0]["disabled"], disabled);
    let answer = put(WAREHOUSE, "https://1.1.1.1/").of(&s).await.ok(200);
    assert_eq!(answer, json!({"name": WAREHOUSE, "url": "https://1.1.1.1/"}), "the secret stays");
    assert_eq!(listed(&s).await[0].get("disabled"), None);
    let kept = warehouse(&s).await.unwrap();
    assert_eq!(kept.webhook.secret.expose_secret(), secret);
}

#[tokio::test]
async fn the_old_secret_signs_too_for_a_day() {
    let (s, server) = (shop().await, answering(204).await);
    assert_eq!(ask("rotate-secret").of(&s).await.problem(), (404, "not-found"));
    let old = merchant(&s, &server).await;
    let without = ask("rotate-secret").without_header("idempotency-key").of(&s).await;
    assert_eq!(without.problem(), (400, "idempotency-key-missing"));
    let answer = ask("rotate-secret").key("rotate").of(&s).await.ok(200);
    let new = answer["secret"].as_str().unwrap().to_owned();
    assert!(new.starts_with("whsec_") && new != old);
    let until = s.now() + OVERLAP;
    assert_eq!(answer["secret_overlaps_until"], json!(until));
    assert_eq!(listed(&s).await[0]["secret_overlaps_until"], json!(until));
    assert!(!json!(listed(&s).await).to_string().contains("whsec_"));
    let again = ask("rotate-secret").key("rotate").of(&s).await;
    assert!(again.is_replayed());
    assert_eq!(again.ok(200)["secret"], json!(new), "one request, one secret");

    let (_, id) = s.ordered().await;
    tell(&s, id, 1, 1).await.unwrap();
    s.advance(OVERLAP);
    assert_eq!(listed(&s).await[0].get("secret_overlaps_until"), None);
    let (_, id) = s.ordered().await;
    tell(&s, id, 1, 1).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    for (request, secrets) in requests.iter().zip([&[&new, &old][..], &[&new]]) {
        let header = |name: &str| request.headers[name].to_str().unwrap();
        let body = std::str::from_utf8(&request.body).unwrap();
        let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
        let signatures: Vec<_> = header("webhook-signature").split(' ').collect();
        assert_eq!(signatures.len(), secrets.len());
        for (signature, secret) in signatures.iter().zip(secrets) {
            let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
            let signature = BASE64_STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
            let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
            hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
        }
    }
}

/// At each fault, every secret in a response signs, and one request creates one secret.
#[tokio::test]
async fn a_secret_in_a_response_signs_at_each_fault() {
    let points = walk(async |run: Run| {
        let s = shop().await;
        let first = ask("put-endpoint").of(&s).await.ok(201);
        let rotate = ask("rotate-secret").key("rotate");
        let attempt = run.attempt(rotate.of(&s)).await;
        let answer = rotate.of(&s).await;
        let met = attempt.resume().await;
        assert!(met.as_ref().is_none_or(|met| run.allows(met.status, &[])), "{met:?}");
        let secret = answer.ok(200)["secret"].clone();
        if let Some(met) = met.filter(|met| met.status == 200) {
            assert_eq!(met.body["secret"], secret);
        }
        let kept = warehouse(&s).await.unwrap();
        assert_eq!(kept.webhook.secret.expose_secret(), secret.as_str().unwrap());
        let stored = serde_json::to_value(&kept.webhook).unwrap();
        assert_eq!(stored["old_secrets"].as_array().unwrap().len(), 1);
        assert_eq!(stored["old_secrets"][0]["secret"], first["secret"]);
    })
    .await;
    assert_eq!(points, ["idempotency.transact"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_concurrent_rotations_all_sign() {
    let s = shop().await;
    ask("put-endpoint").of(&s).await.ok(201);
    let rotations = (0..6).map(|n| {
        let s = s.clone();
        tokio::spawn(async move { ask("rotate-secret").key(&n.to_string()).of(&s).await })
    });
    let answers: Vec<_> = join_all(rotations).await.into_iter().map(Result::unwrap).collect();
    let kept = warehouse(&s).await.unwrap();
    let stored = serde_json::to_value(&kept.webhook).unwrap().to_string();
    let is_handed_out = |answer: &&crate::support::Answer| answer.status == 200;
    let secrets: Vec<_> = answers.iter().filter(is_handed_out).collect();
    assert!(!secrets.is_empty());
    for answer in &answers {
        let is_refused = matches!(answer.problem(), (409, "too-many-secrets") | (503, _));
        assert!(answer.status == 200 || is_refused, "{}", answer.text);
    }
    for answer in secrets {
        assert!(stored.contains(answer.body["secret"].as_str().unwrap()), "{}", answer.text);
    }
}
