//! A small API with every extractor, called with events as API Gateway sends them. The fuzz target `edge`
//! uses this file too.

pub(crate) mod odd;

use std::io::Read as _;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use lambda_runtime::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::http::idempotency::{Transaction, transactional};
use shared::http::page::Page;
use shared::http::{Allowed, Json, Path, Query, app, prefer};
use shared::id::UserId;
use shared::idempotency::Records;
use shared::problem::Problem;
use shared::scopes::OrdersWrite;

pub(crate) const PROBLEM: &str = "application/problem+json";
pub(crate) const REQUEST_ID: &str = "JKJaXmPLvHcESHA=";

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Order {
    items: Vec<Item>,
    note: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Item {
    sku: String,
    quantity: u32,
}

pub(crate) fn router() -> Router {
    app(routes())
}

/// No request of them reaches DynamoDB.
pub(crate) fn routes() -> Router {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::from_static("eu-central-1"))
        .build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let records = Records::new(client, "requests".into(), Clock::System);

    let orders = Router::new().route("/v1/orders", post(order)).with_state(records.clone());
    let path = async |Path(sku): Path<String>, Json(_): Json<u32>| sku;
    let note = async |Json(note): Json<Value>| Json(note);
    let raw = async |body: Bytes| body.len().to_string();
    transactional(orders, records)
        .route("/v1/products/{sku}", put(path).get(async |Path(sku): Path<String>| sku))
        .route("/v1/products", get(list))
        .route("/v1/users/{id}", get(async |Path(id): Path<UserId>| Json(json!({"id": id}))))
        .route("/v1/settings", get(settings).put(note))
        .route("/v1/payments/webhook", put(raw))
}

async fn order(
    State(_): State<Records>,
    _: Allowed<OrdersWrite>,
    _: Transaction,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Result<Response, Problem> {
    let wait = prefer::wait(&headers);
    Ok((StatusCode::CREATED, Json(json!({"order": order, "wait": wait}))).into_response())
}

/// A list, or nothing.
async fn list(Query(page): Query<Page>) -> Result<Response, Problem> {
    let count = page.limit()?;
    let after = page.after::<u32>()?.unwrap_or_default();
    let product = |index| {
        let sku = format!("MUG-{after}-{index}");
        json!({"sku": sku, "name": "A mug for coffee and tea", "price": {"amount": 1_900, "currency": "EUR"}})
    };
    let products = (0..count).map(product).collect::<Vec<_>>();
    Ok(Json(json!({"products": products, "next_cursor": null})).into_response())
}

/// A handler with its own version and its own rule for caches.
async fn settings() -> Response {
    let headers = [(header::ETAG, "\"v7\""), (header::CACHE_CONTROL, "public, max-age=60")];
    (headers, Json(json!({"theme": "x".repeat(2_000)}))).into_response()
}

/// An event for a route of the API, as API Gateway sends it.
pub(crate) fn event(route: &str) -> Value {
    let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
    let user = "usr_01M7YRRT800000000000000000";
    let path = path.replace("{sku}", "MUG").replace("{id}", user);
    json!({
        "version": "2.0", "routeKey": route,
        "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "a.example.org"},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.7"},
            "requestId": REQUEST_ID, "stage": "$default", "timeEpoch": 0,
            "authorizer": {"lambda": {
                "sub": user, "tenant": "ten_01M7YRRT800000000000000001",
                "scope": "orders:write", "expires_at": "2099-12-31T23:59:59Z",
            }},
        },
        "pathParameters": {"sku": "MUG", "id": user}, "body": "1", "isBase64Encoded": false,
    })
}

/// What API Gateway gets.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    is_to_head: bool,
    /// As the client receives it, before it is inflated.
    pub(crate) sent: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body, inflated.
    pub(crate) fn body(&self) -> String {
        let mut text = String::new();
        match self.header("content-encoding") {
            "gzip" => drop(GzDecoder::new(&self.sent[..]).read_to_string(&mut text)),
            _ => text.push_str(&String::from_utf8_lossy(&self.sent)),
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body()).unwrap_or_default()
    }

    /// The slug and the first field of a problem.
    pub(crate) fn problem(&self) -> (u16, String, String) {
        let body = self.json();
        let slug = body["type"].as_str().unwrap_or_default().rsplit('/').next();
        let field = body["errors"][0]["field"].as_str().unwrap_or_default();
        (self.status, slug.unwrap_or_default().to_owned(), field.to_owned())
    }

    /// The first rule of all answers that this answer breaks.
    pub(crate) fn broken_rule(&self) -> Option<String> {
        let is = |name: &str, wanted: &str| {
            let value = self.header(name);
            (value != wanted).then(|| format!("{name} is {value:?}, not {wanted:?}"))
        };
        let csp = "default-src 'none'; frame-ancestors 'none'";
        let headers = [
            is("x-content-type-options", "nosniff"),
            is("content-security-policy", csp),
            is("referrer-policy", "no-referrer"),
            is("content-length", ""),
            self.header("cache-control").is_empty().then(|| "no cache-control".into()),
        ];
        headers.into_iter().flatten().next().or_else(|| self.broken_problem())
    }

    fn broken_problem(&self) -> Option<String> {
        let broken = |rule: &str| Some(format!("{}: {rule}: {}", self.status, self.body()));
        if self.status >= 500 {
            return broken("5xx");
        }
        if matches!(self.status, 204 | 304) && !self.sent.is_empty() {
            return broken("this status has no body");
        }
        if self.is_to_head && !self.sent.is_empty() {
            return broken("an answer to HEAD has no body");
        }
        if self.status < 400 || self.is_to_head {
            return None;
        }
        let problem = self.json();
        let is_named =
            problem["type"].as_str().is_some_and(|kind| kind.starts_with("/docs/problems/"));
        let id = self.headers.get("x-request-id").map(|id| String::from_utf8_lossy(id.as_bytes()));
        let is_whole = is_named
            && problem["title"].is_string()
            && problem["status"] == self.status
            && id.is_none_or(|id| problem["request_id"] == *id)
            && self.header("content-type") == PROBLEM;
        if is_whole { None } else { broken("not a problem document") }
    }
}

/// Answers an event.
pub(crate) async fn call_on(app: Router, event: Value) -> Answer {
    let is_head = event["requestContext"]["http"]["method"] == "HEAD";
    // The problem of an event that is no request has a body in any case.
    let is_to_head = is_head && shared::http::request(event.clone()).is_ok();
    let answer = shared::http::answer(app, event, &Context::default()).await;
    let answer = serde_json::to_value(answer).unwrap_or_default();
    let headers =
        answer["headers"].as_object().into_iter().flatten().filter_map(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            Some((name, HeaderValue::try_from(value.as_str()?).ok()?))
        });
    let body = answer["body"].as_str().unwrap_or_default();
    let sent = if answer["isBase64Encoded"] == true {
        BASE64_STANDARD.decode(body).unwrap_or_default()
    } else {
        body.as_bytes().to_vec()
    };
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    // A status that is none breaks every rule.
    Answer { status: status.unwrap_or(599), headers: headers.collect(), is_to_head, sent }
}
