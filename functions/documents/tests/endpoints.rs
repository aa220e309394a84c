//! The endpoints, given the sample events.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use axum::Router;
use documents::api::{create_upload, get, list};
use documents::objects::{self, Objects};
use documents::store::Documents;
use http_body_util::BodyExt;
use lambda_http::request::from_str;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::http::app;
use shared::id::Ids;
use shared::idempotency::Records;
use shared::rate_limit::RateLimiter;
use testing::{account, event};
use tower::ServiceExt;

struct Functions {
    create: Router,
    get: Router,
    list: Router,
}

/// The functions, at the time of `clock`.
async fn functions(clock: Clock) -> Functions {
    let aws = account::empty().await;
    let table = account::table(&aws, &["pk", "sk"]).await;
    let client = aws_sdk_dynamodb::Client::new(&aws);
    let requests = account::table_named(&aws, "requests", &["id"]).await;
    let records = Records::new(client.clone(), requests.clone(), clock.clone());
    let limiter = RateLimiter::new(client.clone(), requests, clock.clone());
    let documents = Documents::new(client, table);
    let objects = Objects::new(objects::client(&aws), account::bucket(&aws).await);
    Functions {
        create: app(create_upload::router(
            create_upload::CreateUpload {
                documents: documents.clone(),
                objects: objects.clone(),
                credentials: aws.credentials_provider().unwrap(),
                region: account::REGION.into(),
                max_bytes: 1_000_000,
                ids: Ids::random(clock.clone()),
                clock: clock.clone(),
            },
            records,
            limiter,
        )),
        get: app(get::router(get::Get {
            documents: documents.clone(),
            objects,
            clock: clock.clone(),
        })),
        list: app(list::router(list::List { documents, clock })),
    }
}

async fn call(router: &Router, event: &str) -> (u16, Value) {
    let response = router.clone().oneshot(from_str(event).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn what_is_announced_can_be_seen() {
    let f = functions(Clock::System).await;
    let (status, created) = call(&f.create, &event("documents-create-upload")).await;
    assert_eq!(status, 201, "{created}");
    assert_eq!(created["document"]["name"], "invoice.pdf");
    assert_eq!(created["document"]["status"], "awaiting_upload");

    let id = created["document"]["id"].as_str().unwrap();
    let asked = event("documents-get").replace("doc_01M7YRRT800000000000000002", id);
    assert_eq!(call(&f.get, &asked).await, (200, created["document"].clone()));
    let (status, page) = call(&f.list, &event("documents-list")).await;
    assert_eq!((status, page), (200, json!({"documents": [created["document"]]})));
}

#[tokio::test]
async fn announcing_again_is_the_same_document() {
    let f = functions(Clock::System).await;
    let (status, created) = call(&f.create, &event("documents-create-upload")).await;
    assert_eq!(status, 201);
    // The form too, byte for byte.
    let (status, again) = call(&f.create, &event("documents-create-upload")).await;
    assert_eq!((status, &again), (201, &created));
    let (_, page) = call(&f.list, &event("documents-list")).await;
    assert_eq!(page["documents"].as_array().unwrap().len(), 1);

    let other = event("documents-create-upload").replace("48016", "48017");
    let (status, problem) = call(&f.create, &other).await;
    assert_eq!(
        (status, &problem["type"]),
        (422, &json!("urn:problem-type:arsenal:idempotency-key-reused"))
    );
    let without = event("documents-create-upload").replace("idempotency-key", "x-other");
    let (status, problem) = call(&f.create, &without).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (400, &json!("Idempotency-Key")));
}

#[tokio::test]
async fn a_stale_form_is_refused_by_s3_and_the_document_expires() {
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
    let asked = event("documents-get").replace("doc_01M7YRRT800000000000000002", id);
    assert_eq!(call(&f.get, &asked).await.1["status"], "expired");
}

#[tokio::test]
async fn the_user_comes_from_the_authorizer_alone() {
    let f = functions(Clock::System).await;
    for name in ["documents-create-upload", "documents-get", "documents-list"] {
        let router = match name {
            "documents-create-upload" => &f.create,
            "documents-get" => &f.get,
            _ => &f.list,
        };
        let sample: Value = serde_json::from_str(&event(name)).unwrap();

        let mut anonymous = sample.clone();
        anonymous["requestContext"].as_object_mut().unwrap().remove("authorizer");
        let (status, problem) = call(router, &anonymous.to_string()).await;
        assert_eq!(status, 401, "{name}");
        assert_eq!(problem["type"], "urn:problem-type:arsenal:unauthenticated");

        // API Gateway may still hold the answer that it got before the token expired.
        let mut expired = sample.clone();
        expired["requestContext"]["authorizer"]["lambda"]["expires_at"] =
            json!("2026-01-01T00:00:00Z");
        assert_eq!(call(router, &expired.to_string()).await.0, 401, "{name}");

        let mut powerless = sample;
        powerless["requestContext"]["authorizer"]["lambda"]["scope"] = json!("else:read");
        let (status, problem) = call(router, &powerless.to_string()).await;
        assert_eq!(status, 403, "{name}");
        assert_eq!(problem["type"], "urn:problem-type:arsenal:forbidden");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let f = functions(Clock::System).await;
    let mut request: Value = serde_json::from_str(&event("documents-list")).unwrap();
    request["requestContext"]["http"]["method"] = json!("DELETE");
    assert_eq!(call(&f.list, &request.to_string()).await.0, 405);
    request["rawPath"] = json!("/v1/nothing");
    let (status, problem) = call(&f.list, &request.to_string()).await;
    assert_eq!((status, &problem["status"]), (404, &json!(404)));
}
