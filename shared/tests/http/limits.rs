//! Each limit of a request: the largest request that is taken, and the first that is refused.

use std::io::Write as _;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use shared::http::{
    MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_HEADERS, MAX_JSON_DEPTH, MAX_JSON_STRING_BYTES,
    MAX_URL_BYTES,
};

use super::call;
use super::support::{Answer, event};

const WEBHOOK: &str = "PUT /v1/payments/webhook";
const SETTINGS: &str = "PUT /v1/settings";

fn refusal(status: u16, slug: &str, field: &str) -> (u16, String, String) {
    (status, slug.to_owned(), field.to_owned())
}

async fn with_body(route: &str, body: String) -> Answer {
    let mut event = event(route);
    event["body"] = json!(body);
    call(event).await
}

async fn compressed(route: &str, bytes: &[u8]) -> Answer {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    let mut event = event(route);
    let body = encoder.finish().unwrap();
    assert!(body.len() < MAX_BODY_BYTES / 4);
    event["body"] = json!(BASE64_STANDARD.encode(body));
    event["isBase64Encoded"] = json!(true);
    event["headers"]["content-encoding"] = json!("gzip");
    call(event).await
}

#[tokio::test]
async fn a_body_has_at_most_64_kib_on_every_route() {
    assert_eq!(with_body(WEBHOOK, "a".repeat(MAX_BODY_BYTES)).await.body(), "65536");
    for route in ["PUT /v1/products/{sku}", WEBHOOK, "PUT /v1/nothing", "POST /v1/orders"] {
        let answer = with_body(route, "a".repeat(MAX_BODY_BYTES + 1)).await;
        assert_eq!(answer.problem(), refusal(413, "body-too-large", "body"), "{route}");
    }
}

#[tokio::test]
async fn a_compressed_body_counts_as_it_is_inflated() {
    assert_eq!(compressed(WEBHOOK, &vec![b'a'; MAX_BODY_BYTES]).await.body(), "65536");
    let note = json!({"note": "é".repeat(2_000)});
    let answer = compressed(SETTINGS, note.to_string().as_bytes()).await;
    assert_eq!((answer.status, answer.json()), (200, note));
    // The second is a bomb: 8 MiB in 8 KB.
    for size in [MAX_BODY_BYTES + 1, 8 << 20] {
        for route in [WEBHOOK, SETTINGS, "PUT /v1/nothing"] {
            let answer = compressed(route, &vec![b'a'; size]).await;
            assert_eq!(answer.problem(), refusal(413, "body-too-large", "body"), "{route}");
        }
    }
}

#[tokio::test]
async fn another_coding_is_refused_and_gzip_is_offered() {
    for (coding, body, expected) in [
        ("br", "1", refusal(415, "unsupported-content-encoding", "Content-Encoding")),
        ("gzip, gzip", "1", refusal(415, "unsupported-content-encoding", "Content-Encoding")),
        ("gzip", "1", refusal(400, "unreadable-body", "body")),
    ] {
        let mut event = event(SETTINGS);
        event["headers"]["content-encoding"] = json!(coding);
        event["body"] = json!(body);
        let answer = call(event).await;
        assert_eq!(answer.problem(), expected, "{coding}");
        let offered = if answer.status == 415 { "gzip" } else { "" };
        assert_eq!(answer.header("accept-encoding"), offered);
    }
    let mut event = event(SETTINGS);
    event["headers"]["content-encoding"] = json!("identity");
    assert_eq!(call(event).await.status, 200);
}

#[tokio::test]
async fn a_url_has_at_most_8000_bytes() {
    let list = |query: usize| {
        let mut event = event("GET /v1/products");
        event["rawQueryString"] = json!(format!("cursor={}", "a".repeat(query)));
        event
    };
    let rest = "/v1/products?cursor=".len();
    let longest = list(MAX_URL_BYTES - rest);
    assert_eq!(call(longest).await.problem(), refusal(400, "invalid-parameter", "cursor"));
    let longer = list(MAX_URL_BYTES - rest + 1);
    assert_eq!(call(longer).await.problem(), refusal(414, "url-too-long", "query"));

    let product = |sku: String| {
        let mut event = event("GET /v1/products/{sku}");
        event["pathParameters"]["sku"] = json!(sku);
        event
    };
    let room = MAX_URL_BYTES - "/v1/products/".len();
    assert_eq!(call(product("a".repeat(room))).await.status, 200);
    // Three bytes each when it is encoded.
    for sku in ["a".repeat(room + 1), " ".repeat(room / 3 + 1), "a".repeat(70_000)] {
        let answer = call(product(sku)).await;
        assert_eq!(answer.problem(), refusal(414, "url-too-long", "path"));
    }
}

#[tokio::test]
async fn a_request_has_at_most_100_headers() {
    let numbered = |count: usize| {
        let mut event = event("PUT /v1/settings");
        let given = event["headers"].as_object().unwrap().len();
        for index in given..count {
            event["headers"][format!("x-{index}")] = json!("1");
        }
        event
    };
    assert_eq!(call(numbered(MAX_HEADERS)).await.status, 200);
    for count in [MAX_HEADERS + 1, 70_000] {
        let answer = call(numbered(count)).await;
        assert_eq!(answer.problem(), refusal(431, "headers-too-large", "headers"), "{count}");
    }
}

#[tokio::test]
async fn all_headers_together_have_at_most_16_kib() {
    let sized = |name: &str, size: usize| {
        let mut event = event("PUT /v1/settings");
        let given = event["headers"].as_object().unwrap().iter();
        let given: usize =
            given.map(|(name, value)| name.len() + value.as_str().unwrap().len()).sum();
        if name == "cookie" {
            event["cookies"] = json!(["a".repeat(100), "a".repeat(size - given - 100)]);
        } else {
            event["headers"][name] = json!("a".repeat(size - given - name.len()));
        }
        event
    };
    for name in ["x-note", "authorization", "cookie"] {
        assert_eq!(call(sized(name, MAX_HEADER_BYTES)).await.status, 200, "{name}");
        let answer = call(sized(name, MAX_HEADER_BYTES + 1)).await;
        assert_eq!(answer.problem(), refusal(431, "headers-too-large", name));
    }
}

#[tokio::test]
async fn json_nests_at_most_32_levels_deep() {
    let nested = |depth| (1..depth).fold(json!([]), |inner: Value, _| json!({ "a": inner }));
    let deepest = nested(MAX_JSON_DEPTH);
    assert_eq!(with_body(SETTINGS, deepest.to_string()).await.json(), deepest);
    let answer = with_body(SETTINGS, nested(MAX_JSON_DEPTH + 1).to_string()).await;
    let field = ["a"; MAX_JSON_DEPTH].join(".");
    assert_eq!(answer.problem(), refusal(422, "invalid-body", &field));
    // As deep as a body can be.
    let answer = with_body(SETTINGS, "[".repeat(MAX_BODY_BYTES)).await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn a_string_in_json_has_at_most_16_kib() {
    let noted = |length| json!({"note": {"text": "a".repeat(length)}});
    let longest = noted(MAX_JSON_STRING_BYTES);
    assert_eq!(with_body(SETTINGS, longest.to_string()).await.json(), longest);
    let answer = with_body(SETTINGS, noted(MAX_JSON_STRING_BYTES + 1).to_string()).await;
    assert_eq!(answer.problem(), refusal(422, "invalid-body", "note.text"));
    // A name that is too long is not repeated in full.
    let answer = with_body(SETTINGS, format!(r#"{{"{}":1}}"#, "a".repeat(20_000))).await;
    assert_eq!(answer.status, 422);
    assert!(answer.sent.len() < 1_000);
}
