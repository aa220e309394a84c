//! The pipeline over the API: quarantine, waiting, webhooks, cancellation and deletion.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};
use testing::stack::{Stack, User};
use testing::{eventually, infected_pdf, pdf};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::test(flavor = "multi_thread")]
async fn malware_is_rejected_and_nobody_can_download_it() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let id = user.upload("attachment.pdf", infected_pdf()).await;
    let document = user.settled(&id).await;
    assert_eq!(document["status"], "rejected", "{document}");
    assert_eq!(document["rejection"]["reason"], "infected");
    assert_eq!(document["rejection"]["signature"], "Eicar-Test-Signature.UNOFFICIAL");
    assert_eq!(document["stages"]["validate"]["outcome"], "passed");
    assert!(document["stages"].get("pdfa").is_none(), "no later stage has seen it");
    for link in ["file_url", "text_url"] {
        assert!(document.get(link).is_none(), "{link}");
    }
    assert!(stack.object_keys(&format!("clean/{}/", user.id)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_file_can_be_downloaded_unchanged() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let id = user.upload("statement.pdf", pdf("statement.pdf")).await;
    let document = user.settled(&id).await;
    let url: Url = document["file_url"].as_str().unwrap().parse().unwrap();
    // S3 responds with this header; the local AWS omits it if the request names a version.
    let saved_as = url.query_pairs().find(|(name, _)| name == "response-content-disposition");
    let (_, saved_as) = saved_as.unwrap();
    assert!(saved_as.starts_with("attachment; filename=\"statement.pdf\""), "{saved_as}");
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.bytes().await.unwrap(), pdf("statement.pdf"));

    let lines = document["pages"][0]["url"].as_str().unwrap();
    let (status, lines) = stack.download(lines).await;
    assert_eq!(status, 200);
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["number"], 1);
    assert!(first["lines"][0]["bbox"].is_object() || first["lines"][0]["bbox"].is_array());
}

async fn get_waiting(user: &User<'_>, id: &str, wait: &str) -> (Duration, reqwest::Response) {
    let start = Instant::now();
    let request = Client::new().get(format!("{}/v1/documents/{id}", user.stack.api));
    let request = request.bearer_auth(&user.token).header("prefer", wait);
    let answer = request.send().await.unwrap();
    (start.elapsed(), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_the_end() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let id = user.upload("statement.pdf", pdf("statement.pdf")).await;
    let mut document = Value::Null;
    for _ in 0..5 {
        let (_, answer) = get_waiting(&user, &id, "wait=20").await;
        assert_eq!(answer.headers()["preference-applied"], "wait");
        document = answer.json().await.unwrap();
        if document["status"] == "ready" {
            break;
        }
    }
    assert_eq!(document["status"], "ready", "{document}");

    // A request does not wait longer than it asks for.
    let announced = user.announce("never.pdf", 100).await.body;
    let id = announced["document"]["id"].as_str().unwrap();
    let (took, answer) = get_waiting(&user, id, "wait=2").await;
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert_eq!(answer.json::<Value>().await.unwrap()["status"], "awaiting_upload");
}

/// Waits until no object is left under the prefix.
async fn gone(stack: &Stack, prefix: &str) {
    let is_gone = async || stack.object_keys(prefix).await.is_empty().then_some(());
    eventually(&format!("the end of {prefix}"), Duration::from_mins(1), is_gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_objects_of_a_deleted_document_are_deleted() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let id = user.upload("statement.pdf", pdf("statement.pdf")).await;
    let document = user.settled(&id).await;
    let path = format!("/v1/documents/{id}");
    assert_eq!(user.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(user.get(&path).await.status, 404);
    assert_eq!(user.get("/v1/documents").await.body["documents"], json!([]));
    for prefix in ["uploads", "clean", "text"] {
        gone(&stack, &format!("{prefix}/{}/", user.id)).await;
    }
    let (status, _) = stack.download(document["text_url"].as_str().unwrap()).await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_document_stops() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let created = user.announce("statement.pdf", pdf("statement.pdf").len()).await.body;
    let id = created["document"]["id"].as_str().unwrap();
    let cancel = format!("/v1/documents/{id}/cancel");
    let answer = user.post(&cancel, json!({})).await;
    assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!("cancelled")));
    // The form is still valid; a file that is uploaded with it is deleted.
    stack.post(&created["upload"], pdf("statement.pdf")).await;
    gone(&stack, &format!("uploads/{}/", user.id)).await;
    assert_eq!(user.get(&format!("/v1/documents/{id}")).await.body["status"], "cancelled");

    let ready = user.upload("statement.pdf", pdf("statement.pdf")).await;
    user.settled(&ready).await;
    let late = user.post(&format!("/v1/documents/{ready}/cancel"), json!({})).await;
    assert_eq!((late.status.as_u16(), late.problem()), (409, "document-finished"));
}

/// Replaces the settings of the user's tenant, and gives them as they are then.
async fn set(user: &User<'_>, settings: Value) -> Value {
    let (path, any) = ("/v1/document-settings", [("if-match", "*")]);
    let (token, body) = (Some(user.token.as_str()), Some(settings));
    let set = user.stack.call_with(Method::PUT, path, token, body, &any).await;
    assert_eq!(set.status, 200, "{set:?}");
    set.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_reports_the_end_of_a_document() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let server = MockServer::start().await;
    // The first delivery fails.
    let mock = Mock::given(method("POST"));
    mock.respond_with(ResponseTemplate::new(500)).up_to_n_times(1).mount(&server).await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let settings = json!({"webhook": {"url": format!("{}/hook", server.uri())}});
    let set = set(&user, settings).await;
    assert!(set["webhook"]["secret"].as_str().unwrap().starts_with("whsec_"));

    let id = user.upload("statement.pdf", pdf("statement.pdf")).await;
    user.settled(&id).await;
    let messages = eventually("a second message", Duration::from_mins(2), async || {
        let messages = server.received_requests().await.unwrap();
        (messages.len() >= 2).then_some(messages)
    })
    .await;
    assert_eq!(messages[0].headers["webhook-id"], messages[1].headers["webhook-id"]);
    let body: Value = messages[1].body_json().unwrap();
    assert_eq!((&body["type"], &body["data"]["id"]), (&json!("document.ready"), &json!(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_rejects_documents() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let settings = json!({"require_pdfa": true, "policy": {"max_pages": 5}});
    set(&user, settings).await;
    for (name, status, reason) in [
        ("x11-security.pdf", "rejected", json!("invalid")),
        ("statement.pdf", "rejected", json!("not_pdfa")),
        ("invoice-pdfa2b.pdf", "ready", Value::Null),
    ] {
        let id = user.upload(name, pdf(name)).await;
        let document = user.settled(&id).await;
        assert_eq!(document["status"], status, "{name}: {document}");
        assert_eq!(document["rejection"]["reason"], reason, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_extracted_by_a_real_model() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let schema = json!({
        "type": "object",
        "properties": {
            "invoice_number": {"type": "string", "description": "The invoice's number"},
        },
        "required": ["invoice_number"],
    });
    let path = "/v1/document-schemas/number-only@1";
    let put = stack.call(Method::PUT, path, Some(&user.token), Some(schema)).await;
    assert_eq!(put.status, 200, "{put:?}");
    let file = pdf("invoice-pdfa2b.pdf");
    let id = user.upload_for("number-only@1", "invoice.pdf", file).await;
    let document = user.settled(&id).await;
    assert_eq!(document["status"], "ready", "{document}");
    let found = &document["stages"]["structure"]["result"];
    assert!(found["input_tokens"].as_u64().unwrap() > 0, "{document}");
    // The answers of a small model vary, but each value has a mark.
    for field in document["data"]["fields"].as_array().unwrap() {
        assert!(
            ["grounded", "derived", "ambiguous", "ungrounded"]
                .contains(&field["grounding"].as_str().unwrap())
        );
    }
}
