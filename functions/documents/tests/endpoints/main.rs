//! The endpoints, called with the sample events.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod settings;

use axum::Router;
use documents::allowance::Allowance;
use documents::api::{
    cancel, complete_upload, create_upload, delete, get, get_settings, list, list_deliveries,
    patch_settings, put_schema, put_settings, resend_delivery, rotate_secret, upload_parts,
};
use documents::objects::{self, Objects};
use documents::queues::Queues;
use documents::store::Documents;
use documents::system::{System, Uploads};
use http_body_util::BodyExt;
use lambda_http::request::from_str;
use serde_json::{Value, json};
use shared::budget::Budgets;
use shared::clock::Clock;
use shared::http::app;
use shared::id::Ids;
use shared::idempotency::Records;
use shared::queue::Queue;
use shared::rate_limit::RateLimiter;
use shared::webhook::Courier;
use testing::contract::ask;
use testing::{account, event};

struct Functions {
    documents: Documents,
    create: Router,
    parts: Router,
    complete: Router,
    get: Router,
    list: Router,
    cancel: Router,
    delete: Router,
    get_settings: Router,
    put_settings: Router,
    patch_settings: Router,
    put_schema: Router,
    list_deliveries: Router,
    resend_delivery: Router,
    rotate_secret: Router,
}

/// The functions, with `clock`.
async fn functions(clock: Clock) -> Functions {
    let allowance = Allowance { upload_bytes: 1_000_000_000, scans: 1_000 };
    functions_with(clock, allowance).await
}

/// The functions, with `clock` and with these daily limits of a tenant.
async fn functions_with(clock: Clock, allowance: Allowance) -> Functions {
    let aws = account::empty().await;
    let table = account::table(&aws, &["pk", "sk"]).await;
    let client = aws_sdk_dynamodb::Client::new(&aws);
    let requests = account::table_named(&aws, "requests", &["id"]).await;
    let records = Records::new(client.clone(), requests.clone(), clock.clone());
    let budgets = Budgets::new(client.clone(), requests.clone(), clock.clone());
    let limiter = RateLimiter::new(client.clone(), requests, clock.clone());
    let documents = Documents::new(client, table);
    let objects = Objects::new(objects::client(&aws), account::bucket(&aws).await);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let queue = Queue::new(sqs, account::queue(&aws).await);
    let queues = Queues::new(std::array::from_fn(|_| queue.clone()), queue.clone(), queue);
    let uploads = Uploads {
        credentials: aws.credentials_provider().unwrap(),
        region: account::REGION.into(),
        budgets,
        allowance,
        max_bytes: 100_000_000,
    };
    let ids = Ids::random(clock.clone());
    let system = System { documents, objects, queues, records, limiter, clock, ids };
    let courier = Courier::new(false).unwrap();
    let s = || system.clone();
    Functions {
        documents: system.documents.clone(),
        create: app(create_upload::router(s(), uploads)),
        parts: app(upload_parts::router(s())),
        complete: app(complete_upload::router(s())),
        get: app(get::router(s())),
        list: app(list::router(s())),
        cancel: app(cancel::router(s())),
        delete: app(delete::router(s())),
        get_settings: app(get_settings::router(s())),
        put_settings: app(put_settings::router(s(), courier.clone())),
        patch_settings: app(patch_settings::router(s(), courier)),
        put_schema: app(put_schema::router(s())),
        list_deliveries: app(list_deliveries::router(s())),
        resend_delivery: app(resend_delivery::router(s())),
        rotate_secret: app(rotate_secret::router(s())),
    }
}

async fn call(router: &Router, event: &str) -> (u16, Value) {
    let response = ask(router, from_str(event).unwrap()).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn an_announced_document_is_returned_and_listed() {
    let f = functions(Clock::System).await;
    let (status, created) = call(&f.create, &event("documents-create-upload")).await;
    assert_eq!(status, 201, "{created}");
    assert_eq!(created["document"]["name"], "invoice.pdf");
    assert_eq!(created["document"]["status"], "awaiting_upload");

    let id = created["document"]["id"].as_str().unwrap();
    let request = event("documents-get").replace("doc_01M7YRRT800000000000000002", id);
    assert_eq!(call(&f.get, &request).await, (200, created["document"].clone()));
    let (status, page) = call(&f.list, &event("documents-list")).await;
    assert_eq!((status, &page["documents"][0]["id"]), (200, &created["document"]["id"]));
    assert_eq!(page["documents"].as_array().unwrap().len(), 1);
}

/// The user acts for another tenant now, or has left that of the document.
#[tokio::test]
async fn a_document_stays_in_its_tenant() {
    let f = functions(Clock::System).await;
    let (_, created) = call(&f.create, &event("documents-create-upload")).await;
    let id = created["document"]["id"].as_str().unwrap();
    let elsewhere = |name: &str| {
        let event = event(name).replace("doc_01M7YRRT800000000000000002", id);
        event.replace("ten_01M7YRRT800000000000000001", "ten_01M7YRRT80000000000000000Z")
    };
    for (router, name) in [
        (&f.get, "documents-get"),
        (&f.parts, "documents-upload-parts"),
        (&f.complete, "documents-complete-upload"),
        (&f.cancel, "documents-cancel"),
        (&f.delete, "documents-delete"),
    ] {
        let (status, problem) = call(router, &elsewhere(name)).await;
        assert_eq!((status, &problem["type"]), (404, &json!("/docs/problems/not-found")), "{name}");
    }
    let (_, page) = call(&f.list, &elsewhere("documents-list")).await;
    assert_eq!(page, json!({"documents": []}));
    let (_, page) = call(&f.list, &event("documents-list")).await;
    assert_eq!(page["documents"][0]["id"], id);
}

#[tokio::test]
async fn a_repeated_announcement_gives_the_same_document() {
    let f = functions(Clock::System).await;
    let (status, created) = call(&f.create, &event("documents-create-upload")).await;
    assert_eq!(status, 201);
    // The form is the same too, byte for byte.
    let (status, again) = call(&f.create, &event("documents-create-upload")).await;
    assert_eq!((status, &again), (201, &created));
    let (_, page) = call(&f.list, &event("documents-list")).await;
    assert_eq!(page["documents"].as_array().unwrap().len(), 1);

    let other = event("documents-create-upload").replace("48016", "48017");
    let (status, problem) = call(&f.create, &other).await;
    assert_eq!((status, &problem["type"]), (422, &json!("/docs/problems/idempotency-key-reused")));
    let without = event("documents-create-upload").replace("idempotency-key", "x-other");
    let (status, problem) = call(&f.create, &without).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (400, &json!("Idempotency-Key")));
}

#[tokio::test]
async fn s3_refuses_an_expired_form_and_the_document_expires() {
    let an_hour_ago = jiff::Timestamp::now() - std::time::Duration::from_hours(1);
    let clock = Clock::manual(an_hour_ago);
    let f = functions(clock.clone()).await;
    let (_, created) = call(&f.create, &event("documents-create-upload")).await;

    let mut form = reqwest::multipart::Form::new();
    for (name, value) in created["upload"]["fields"].as_object().unwrap() {
        form = form.text(name.clone(), value.as_str().unwrap().to_owned());
    }
    let form = form.part("file", reqwest::multipart::Part::bytes(vec![b' '; 48_016]));
    let url = created["upload"]["url"].as_str().unwrap();
    let answer = reqwest::Client::new().post(url).multipart(form).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let text = answer.text().await.unwrap();
    assert!(text.contains("expired"), "{text}");

    clock.advance(jiff::SignedDuration::from_hours(1));
    let id = created["document"]["id"].as_str().unwrap();
    let request = event("documents-get").replace("doc_01M7YRRT800000000000000002", id);
    assert_eq!(call(&f.get, &request).await.1["status"], "expired");
}

#[tokio::test]
async fn only_the_authorizer_identifies_the_user() {
    let f = functions(Clock::System).await;
    for (name, router) in [
        ("documents-create-upload", &f.create),
        ("documents-upload-parts", &f.parts),
        ("documents-complete-upload", &f.complete),
        ("documents-get", &f.get),
        ("documents-list", &f.list),
        ("documents-cancel", &f.cancel),
        ("documents-delete", &f.delete),
        ("documents-get-settings", &f.get_settings),
        ("documents-put-settings", &f.put_settings),
        ("documents-patch-settings", &f.patch_settings),
        ("documents-put-schema", &f.put_schema),
        ("documents-list-deliveries", &f.list_deliveries),
        ("documents-resend-delivery", &f.resend_delivery),
        ("documents-rotate-secret", &f.rotate_secret),
    ] {
        let sample: Value = serde_json::from_str(&event(name)).unwrap();

        let mut anonymous = sample.clone();
        anonymous["requestContext"].as_object_mut().unwrap().remove("authorizer");
        let (status, problem) = call(router, &anonymous.to_string()).await;
        assert_eq!(status, 401, "{name}");
        assert_eq!(problem["type"], "/docs/problems/unauthenticated");

        // API Gateway may have cached the authorizer's answer from before the token expired.
        let mut expired = sample.clone();
        expired["requestContext"]["authorizer"]["lambda"]["expires_at"] =
            json!("2026-01-01T00:00:00Z");
        assert_eq!(call(router, &expired.to_string()).await.0, 401, "{name}");

        let mut other_scope = sample;
        other_scope["requestContext"]["authorizer"]["lambda"]["scope"] = json!("else:read");
        let (status, problem) = call(router, &other_scope.to_string()).await;
        assert_eq!(status, 403, "{name}");
        assert_eq!(problem["type"], "/docs/problems/forbidden");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let f = functions(Clock::System).await;
    let mut request: Value = serde_json::from_str(&event("documents-list")).unwrap();
    request["requestContext"]["http"]["method"] = json!("DELETE");
    assert_eq!(call(&f.list, &request.to_string()).await.0, 405);
    request["rawPath"] = json!("/v1/nothing");
    let (status, problem) = call(&f.list, &request.to_string()).await;
    assert_eq!((status, &problem["status"]), (404, &json!(404)));
}

/// The sample event with a body.
fn with_body(name: &str, body: &Value) -> String {
    let mut request: Value = serde_json::from_str(&event(name)).unwrap();
    request["body"] = json!(body.to_string());
    request.to_string()
}

#[tokio::test]
async fn an_interrupted_upload_in_parts_is_resumed() {
    let f = functions(Clock::System).await;
    let file: Vec<u8> = (0..=255).cycle().take(17_000_000).collect();
    let body = json!({"name": "large.pdf", "size": file.len(), "upload": "parts"});
    let (status, created) = call(&f.create, &with_body("documents-create-upload", &body)).await;
    assert_eq!((status, &created["upload"]["parts"]), (201, &json!(3)), "{created}");
    let id = created["document"]["id"].as_str().unwrap();
    let request = |name: &str| event(name).replace("doc_01M7YRRT800000000000000002", id);

    let http = reqwest::Client::new();
    for round in [1, 2] {
        let (status, left) = call(&f.parts, &request("documents-upload-parts")).await;
        assert_eq!(status, 200, "{left}");
        let missing = left["missing"].as_array().unwrap();
        assert_eq!(missing.len(), if round == 1 { 3 } else { 2 });
        // The connection drops after the first part.
        for part in missing.iter().take(if round == 1 { 1 } else { 3 }) {
            let from = usize::try_from(part["offset"].as_u64().unwrap()).unwrap();
            let size = usize::try_from(part["size"].as_u64().unwrap()).unwrap();
            let put = http.put(part["url"].as_str().unwrap());
            let put = put.body(file[from..from + size].to_vec()).send().await.unwrap();
            assert_eq!(put.status(), 200, "{}", put.text().await.unwrap());
        }
        let (status, answer) = call(&f.complete, &request("documents-complete-upload")).await;
        if round == 1 {
            let parts_missing = json!("/docs/problems/parts-missing");
            assert_eq!((status, &answer["type"]), (409, &parts_missing));
        } else {
            assert_eq!(status, 202, "{answer}");
        }
    }
    // Completing again, before S3's event, succeeds.
    assert_eq!(call(&f.complete, &request("documents-complete-upload")).await.0, 202);
}

#[tokio::test]
async fn an_invalid_field_is_named() {
    let f = functions(Clock::System).await;
    let good = json!({"name": "a.pdf", "size": 10});
    for (field, value, slug) in [
        ("name", json!(""), "invalid-name"),
        ("name", json!("../../invoice.pdf"), "invalid-name"),
        ("name", json!("invoice\u{202e}fdp.exe"), "invalid-name"),
        ("name", json!(7), "invalid-body"),
        ("size", json!(0), "file-empty"),
        ("size", json!(100_000_001), "file-too-large"),
        ("sha256", json!("abc"), "invalid-body"),
        ("schema", json!("invoice"), "invalid-body"),
        ("schema", json!("_invoice@1"), "invalid-body"),
        ("schema", json!("invoice@1000000000"), "invalid-body"),
        ("schema", json!("invoice@2"), "unknown-schema"),
        ("schema", json!("nothing@1"), "unknown-schema"),
        ("upload", json!("fax"), "invalid-body"),
        ("other", json!(1), "invalid-body"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let (status, problem) = call(&f.create, &with_body("documents-create-upload", &body)).await;
        let kind = json!(format!("/docs/problems/{slug}"));
        assert_eq!((status, &problem["type"]), (422, &kind), "{field}: {problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let body = json!({"name": "a.pdf", "size": 10, "schema": "invoice@1"});
    assert_eq!(call(&f.create, &with_body("documents-create-upload", &body)).await.0, 201);
}

#[tokio::test]
async fn a_version_of_a_schema_never_changes() {
    let f = functions(Clock::System).await;
    let put = event("documents-put-schema");
    assert_eq!(call(&f.put_schema, &put).await.0, 200);
    assert_eq!(call(&f.put_schema, &put).await.0, 200, "the same schema is accepted again");
    let other = json!({"type": "object", "properties": {"other": {"type": "string"}}});
    let (status, problem) = call(&f.put_schema, &with_body("documents-put-schema", &other)).await;
    assert_eq!((status, &problem["type"]), (409, &json!("/docs/problems/schema-exists")));
    let built_in = put.replace("delivery-note@1", "invoice@1");
    assert_eq!(call(&f.put_schema, &built_in).await.0, 409);
    let remote = json!({"type": "object", "properties": {"a": {"$ref": "https://example.org/a"}}});
    let (status, problem) = call(&f.put_schema, &with_body("documents-put-schema", &remote)).await;
    assert_eq!(
        (status, &problem["type"]),
        (422, &json!("/docs/problems/invalid-schema")),
        "{problem}"
    );
}

/// The sample event with another idempotency key and size.
fn announcing(key: &str, size: u64) -> String {
    let body = json!({"name": "a.pdf", "size": size});
    let event = with_body("documents-create-upload", &body);
    let mut request: Value = serde_json::from_str(&event).unwrap();
    request["headers"]["idempotency-key"] = json!(key);
    request.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_announcements_use_exactly_the_budget() {
    let clock = Clock::manual("2026-11-21T10:00:00Z".parse().unwrap());
    let f = functions_with(clock.clone(), Allowance { upload_bytes: 1_000, scans: 10 }).await;
    let all: Vec<_> = (0..16).map(|key| announcing(&format!("key-{key}"), 90)).collect();
    let answers = futures::future::join_all(all.iter().map(|event| async {
        loop {
            // 503: the transaction conflicted with others in every try.
            let (status, _) = call(&f.create, event).await;
            if status != 503 {
                return status;
            }
        }
    }));
    let answers = answers.await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 10, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 6, "{answers:?}");
    let (_, page) = call(&f.list, &event("documents-list")).await;
    assert_eq!(page["documents"].as_array().unwrap().len(), 10);

    // An admitted request gets the same answer again. A refused one gets the budget's name and renewal time.
    let admitted = answers.iter().position(|status| *status == 201).unwrap();
    assert_eq!(call(&f.create, &all[admitted]).await.0, 201);
    let event = announcing("another", 1);
    let response = ask(&f.create, from_str(&event).unwrap()).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "50400");
    let policies: Vec<_> = response.headers().get_all("ratelimit-policy").iter().collect();
    assert!(policies.iter().any(|policy| *policy == "\"scans\";q=10;w=86400"), "{policies:?}");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["type"], "/docs/problems/budget-exceeded");
    for part in ["\"scans\" is 10 a day", "10 are used", "2026-11-22T00:00:00Z"] {
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }

    // The next day has a new budget.
    clock.advance(jiff::SignedDuration::from_hours(14));
    let next = announcing("another", 1).replace("2026-11-21T", "2026-11-22T");
    assert_eq!(call(&f.create, &next).await.0, 201);
    let (status, problem) = call(&f.create, &announcing("too-large", 1_000)).await;
    assert_eq!(status, 429);
    assert!(problem["detail"].as_str().unwrap().contains("\"upload-bytes\" is 1000"), "{problem}");
    // What does not fit into an unused budget is refused for good.
    let (status, problem) = call(&f.create, &announcing("never-fits", 1_001)).await;
    assert_eq!((status, &problem["type"]), (422, &json!("/docs/problems/file-too-large")));
    assert_eq!(problem["errors"][0]["detail"], "a file must have 1 to 1000 bytes");
}
