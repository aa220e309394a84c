//! The files of the reference, from a folder as Lambda unpacks it.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::PathBuf;

use axum::http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use reference::read;
use reference::site::Site;
use serde_json::{Value, json};
use shared::http::{app, request};
use testing::event;
use tower::ServiceExt;

/// A folder with some files, which is deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let id = shared::id::Ids::random(shared::clock::Clock::System).next::<shared::id::Tenant>();
        let folder = Self(std::env::temp_dir().join(format!("reference-{id}")));
        for (path, content) in [
            ("secret.html", "secret"),
            ("site/index.html", "the page"),
            ("site/openapi.json", "{}"),
            ("site/swagger-ui.css", "plain"),
            ("site/swagger-ui.css.gz", "compressed"),
            ("site/problems.html", "the index"),
            ("site/problems/out-of-stock.html", "what to do"),
        ] {
            let path = folder.0.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    /// The answer to the sample event with another route, parameter and `Accept-Encoding`.
    async fn get(&self, route: &str, parameter: &str, encodings: &str) -> Answer {
        let mut sample: Value = serde_json::from_str(&event("reference-read")).unwrap();
        sample["routeKey"] = json!(format!("GET {route}"));
        sample["requestContext"]["routeKey"] = sample["routeKey"].clone();
        sample["pathParameters"] = json!({"file": parameter, "type": parameter});
        sample["headers"]["accept"] = json!("text/html,application/xhtml+xml,*/*;q=0.8");
        sample["headers"]["accept-encoding"] = json!(encodings);
        let request = match request(sample) {
            Ok(request) => request,
            Err(problem) => return Answer { status: problem.status(), ..Answer::default() },
        };
        let answer = app(read::router(Site::new(&self.0))).oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[derive(Default)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

#[tokio::test]
async fn each_route_has_its_file() {
    let folder = Folder::new();
    for (route, parameter, body, media_type) in [
        ("/docs", "", "the page", "text/html; charset=utf-8"),
        ("/docs/{file}", "swagger-ui.css", "plain", "text/css; charset=utf-8"),
        ("/docs/problems", "", "the index", "text/html; charset=utf-8"),
        ("/docs/problems/{type}", "out-of-stock", "what to do", "text/html; charset=utf-8"),
        ("/v1/openapi.json", "", "{}", "application/json"),
    ] {
        let answer = folder.get(route, parameter, "identity").await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, body), "{route}");
        assert_eq!(answer.headers[CONTENT_TYPE], media_type);
        assert!(!answer.headers.contains_key(CONTENT_ENCODING));
        let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("script-src 'self';"), "{policy}");
    }
}

#[tokio::test]
async fn a_file_is_sent_compressed_to_those_who_take_it() {
    let folder = Folder::new();
    for (encodings, is_compressed) in [
        ("gzip", true),
        ("br;q=1.0, GZIP;q=0.5", true),
        ("gzip;q=0", false),
        ("gzip;q=0.0, br", false),
        ("br", false),
        ("*", true),
        ("", false),
    ] {
        let answer = folder.get("/docs/{file}", "swagger-ui.css", encodings).await;
        let expected = if is_compressed { "compressed" } else { "plain" };
        assert_eq!(answer.body, expected, "{encodings}");
        assert_eq!(answer.headers.contains_key(CONTENT_ENCODING), is_compressed, "{encodings}");
        // A small file has no second form.
        let page = folder.get("/docs", "", encodings).await;
        assert_eq!(page.body, "the page");
    }
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder() {
    let folder = Folder::new();
    for name in [
        "../secret.html",
        "..",
        ".",
        "",
        "/etc/passwd",
        "problems/index.html",
        "none.html",
        "index",
        "INDEX.HTML",
        "index.html/",
        "index.html\0",
        "..%2fsecret.html",
        "swagger-ui.css.gz",
        &format!("{}.html", "a".repeat(60)),
    ] {
        let answer = folder.get("/docs/{file}", name, "gzip").await;
        let refused = [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST];
        assert!(refused.contains(&answer.status), "{name:?}: {} {}", answer.status, answer.body);
        let answer = folder.get("/docs/problems/{type}", name, "gzip").await;
        assert!(refused.contains(&answer.status), "{name:?}: {} {}", answer.status, answer.body);
    }
    let answer = folder.get("/docs/problems/{type}", "../../secret", "gzip").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_document_is_compressed_once() {
    let folder = Folder::new();
    let large = "[1]".repeat(1000);
    std::fs::write(folder.0.join("site/openapi.json.gz"), &large).unwrap();
    let answer = folder.get("/v1/openapi.json", "", "gzip").await;
    assert_eq!(answer.headers.get_all(CONTENT_ENCODING).iter().collect::<Vec<_>>(), ["gzip"]);
    assert_eq!(answer.headers.get_all(VARY).iter().count(), 1);
    assert_eq!(answer.body, large);
}
