//! The reference of the deployed stack: the page, the document and the problem types.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::Value;
use testing::root;
use testing::stack::Stack;

async fn get(stack: &Stack, path: &str) -> (StatusCode, String, String) {
    let answer = reqwest::get(format!("{}{path}", stack.api)).await.unwrap();
    let media_type = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    if media_type.starts_with("text/html") {
        assert!(answer.headers().contains_key(CONTENT_SECURITY_POLICY));
    }
    (answer.status(), media_type, answer.text().await.unwrap())
}

/// The values of the attributes `href` and `src` of a page.
fn links(page: &str) -> Vec<&str> {
    let after = |mark: &'static str| page.split(mark).skip(1);
    let values = after(" href=\"").chain(after(" src=\""));
    values.map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn the_page_has_all_its_files() {
    let stack = Stack::deployed().await;
    let (status, media_type, page) = get(&stack, "/docs").await;
    assert_eq!((status, media_type.as_str()), (StatusCode::OK, "text/html; charset=utf-8"));
    let links = links(&page);
    assert!(links.len() >= 6, "{links:?}");
    for link in links {
        // They are relative to the root of the API, and lead to no other host.
        let file = get_bytes(&stack, link).await;
        assert!(!file.is_empty(), "{link}");
    }
}

async fn get_bytes(stack: &Stack, link: &str) -> Vec<u8> {
    let answer = reqwest::get(format!("{}/{link}", stack.api)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{link}");
    answer.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn the_document_is_the_one_of_the_repository() {
    let stack = Stack::deployed().await;
    let (status, _, document) = get(&stack, "/v1/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let document: Value = serde_json::from_str(&document).unwrap();
    let written = std::fs::read_to_string(root().join("openapi.yaml")).unwrap();
    assert!(document == yaml_serde::from_str::<Value>(&written).unwrap());
    // The page signs in with this scheme.
    let scheme = document["components"]["securitySchemes"].as_object().unwrap().keys().next();
    let (_, _, script) = get(&stack, "/docs/reference.js").await;
    assert!(script.contains(&format!("SCHEME = \"{}\"", scheme.unwrap())), "{script}");
}

#[tokio::test]
async fn a_browser_gets_the_same_files_compressed() {
    let stack = Stack::deployed().await;
    let files =
        ["/docs", "/docs/swagger-ui-bundle.js", "/v1/openapi.json", "/docs/problems/internal"];
    for path in files {
        let url = format!("{}{path}", stack.api);
        let plain = reqwest::get(&url).await.unwrap().bytes().await.unwrap();
        let request = reqwest::Client::new().get(&url).header("accept-encoding", "gzip, br");
        let answer = request.send().await.unwrap();
        let encoding = answer.headers().get("content-encoding").cloned();
        let mut bytes = answer.bytes().await.unwrap().to_vec();
        if encoding.is_some_and(|encoding| encoding == "gzip") {
            let mut inflated = Vec::new();
            GzDecoder::new(&bytes[..]).read_to_end(&mut inflated).unwrap();
            assert!(bytes.len() < inflated.len(), "{path}");
            bytes = inflated;
        }
        assert!(bytes == plain, "{path}");
    }
}

#[tokio::test]
async fn each_problem_type_has_its_page() {
    let stack = Stack::deployed().await;
    let (_, _, index) = get(&stack, "/docs/problems").await;
    let mut pages = 0;
    for entry in std::fs::read_dir(root().join("docs/problems")).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.file_stem().unwrap().to_str().unwrap();
        if kind == "README" {
            continue;
        }
        let (status, _, page) = get(&stack, &format!("/docs/problems/{kind}")).await;
        assert_eq!(status, StatusCode::OK, "{kind}");
        let source = std::fs::read_to_string(&path).unwrap();
        let title = source.lines().next().unwrap().trim_start_matches("# ");
        assert!(page.contains(title) && !page.contains(".md\""), "{kind}");
        assert!(index.contains(&format!("href=\"problems/{kind}\"")), "{kind} is not in the index");
        pages += 1;
    }
    assert!(pages > 40, "{pages}");
    let (status, media_type, _) = get(&stack, "/docs/problems/no-such-type").await;
    let expected = (StatusCode::NOT_FOUND, "application/problem+json");
    assert_eq!((status, media_type.as_str()), expected);
}

#[tokio::test]
async fn the_version_of_a_request_reaches_the_function_and_the_page_of_versions_exists() {
    let stack = Stack::deployed().await;
    for (version, status) in [("2026-12-01", 200), ("2026-01-01", 400)] {
        let request = reqwest::Client::new().get(format!("{}/v1/openapi.json", stack.api));
        let answer = request.header("arsenal-version", version).send().await.unwrap();
        assert_eq!(answer.status(), status, "{version}");
        let named = answer.headers().get("arsenal-version");
        assert_eq!(named.is_some_and(|named| named == version), status == 200);
    }
    let (status, _, page) = get(&stack, "/docs/versions.html").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("<code>2026-12-01</code>") && !page.contains(".md\""), "{page}");
}
