//! A document's final status is posted to the tenant's webhook, signed.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use documents::deliver_webhook::Ends;
use documents::document::DocumentId;
use documents::queues::{MAX_ATTEMPTS, Tell, Told};
use documents::settings::Settings;
use documents::stage::Stage;
use documents::store::Documents;
use serde_json::{Value, json};
use shared::batch::{self, Message};
use shared::http::Json;
use shared::webhook::{Courier, Deliver, Disabled, Reason, Webhook, new_secret};
use testing::contract::CONTRACT;
use testing::pdf;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{System, system};

async fn tell(s: &System, id: DocumentId, receive_count: u32) -> Result<(), batch::Failure> {
    let (owner, document_id) = s.key(id);
    deliver(s, Tell::V1 { about: Told { owner, document_id } }, receive_count).await
}

async fn deliver(s: &System, body: Tell, receive_count: u32) -> Result<(), batch::Failure> {
    let deliver = Deliver {
        store: s.documents.webhooks(),
        courier: Courier::new(true).unwrap(),
        clock: s.clock.clone(),
        ids: s.ids.clone(),
    };
    let ends = Ends { documents: s.documents.clone(), clock: s.clock.clone() };
    let job = Message { message_id: "m".into(), receive_count, group: None, body };
    deliver.job(&ends, job, MAX_ATTEMPTS).await
}

/// Gives the tenant a webhook at `server`. Returns its secret.
async fn subscribe(s: &System, server: &MockServer) -> String {
    let secret = new_secret([7; 32]);
    let webhook = Webhook::signed_by(format!("{}/hook", server.uri()), secret.clone().into());
    let settings = Settings { webhook: Some(webhook), ..Settings::default() };
    let before = s.documents.settings(s.tenant).await.unwrap();
    assert!(s.documents.set_settings(s.tenant, &before, &settings).await.unwrap());
    secret
}

#[tokio::test(flavor = "multi_thread")]
async fn the_final_status_is_posted_and_signed() {
    let (s, server) = (system().await, MockServer::start().await);
    let hook = Mock::given(method("POST")).and(path("/hook"));
    hook.respond_with(ResponseTemplate::new(204)).mount(&server).await;
    let secret = subscribe(&s, &server).await;
    let id = s.uploaded_with(pdf("statement.pdf"), |document| document.webhook = true).await;
    tell(&s, id, 1).await.unwrap();
    assert!(server.received_requests().await.unwrap().is_empty(), "no final status");

    s.run(id).await;
    assert_eq!(s.drain("webhooks").await.len(), 1);
    tell(&s, id, 1).await.unwrap();
    tell(&s, id, 2).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "a delivered message is not posted again");
    let page = serde_json::from_value(json!({})).unwrap();
    let (webhooks, place) = (s.documents.webhooks(), Documents::place(s.tenant));
    let (_, Json(log)) = webhooks.page(&place, &page, &s.clock).await.unwrap();
    let log = serde_json::to_value(log).unwrap()["deliveries"][0].clone();
    assert_eq!((&log["type"], &log["outcome"]), (&json!("document.ready"), &json!("delivered")));

    let delivery = log["id"].as_str().unwrap();
    let queue = s.pipeline.queues.webhooks().unwrap();
    webhooks.resend(&place, delivery, queue, &s.clock).await.unwrap();
    for job in s.drain("webhooks").await {
        deliver(&s, serde_json::from_str(&job).unwrap(), 1).await.unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    let header =
        |index: usize, name: &str| requests[index].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"), "the same message");

    let body = String::from_utf8(requests[0].body.clone()).unwrap();
    let signed = format!("{}.{}.{body}", header(0, "webhook-id"), header(0, "webhook-timestamp"));
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signature = header(0, "webhook-signature");
    let signature = BASE64_STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
    hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
    CONTRACT.check_webhook(body.as_bytes());
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["type"], "document.ready");
    assert_eq!((&body["data"]["id"], &body["data"]["status"]), (&json!(id), &json!("ready")));
}

#[tokio::test]
async fn a_failed_delivery_is_retried_and_redirects_are_not_followed() {
    let (s, server) = (system().await, MockServer::start().await);
    for status in [500, 404, 302] {
        server.reset().await;
        let answer = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
        Mock::given(path("/hook")).respond_with(answer).mount(&server).await;
        subscribe(&s, &server).await;
        let id = s.uploaded_with(b"no pdf".to_vec(), |document| document.webhook = true).await;
        s.deliver(Stage::Validate, id, 1).await.unwrap();
        assert!(!s.drain("webhooks").await.is_empty());
        assert!(matches!(tell(&s, id, 1).await, Err(batch::Failure::Retry { .. })), "{status}");
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].body_json::<Value>().unwrap()["type"], "document.rejected");
        let last = tell(&s, id, documents::queues::MAX_ATTEMPTS + 1).await;
        assert!(matches!(last, Err(batch::Failure::Permanent(_))), "{status}");
    }
}

#[tokio::test]
async fn a_410_disables_the_webhook() {
    let (s, server) = (system().await, MockServer::start().await);
    let hook = Mock::given(path("/hook"));
    hook.respond_with(ResponseTemplate::new(410)).mount(&server).await;
    subscribe(&s, &server).await;
    let id = s.uploaded_with(b"no pdf".to_vec(), |document| document.webhook = true).await;
    s.deliver(Stage::Validate, id, 1).await.unwrap();
    for count in 1..3 {
        tell(&s, id, count).await.unwrap();
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    let webhook = s.documents.settings(s.tenant).await.unwrap().webhook.unwrap();
    let gone = Disabled { at: s.clock.now(), reason: Reason::Gone };
    assert_eq!(webhook.disabled(), Some(gone));
}
