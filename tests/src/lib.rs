//! What the tests share: an AWS account of one's own for a store's or a handler's test, and the
//! deployed stack as a user sees it for an end-to-end one.
//!
//! Both need a local AWS at `AWS_ENDPOINT_URL`; `make test` starts one.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it fails")]
#![expect(clippy::missing_panics_doc, reason = "panicking is how a test says no")]

pub mod account;
pub mod stack;

use std::path::PathBuf;

use serde_json::Value;

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The sample event `events/<name>.json`.
#[must_use]
pub fn event(name: &str) -> String {
    let path = root().join("events").join(format!("{name}.json"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The path of the sample file `tests/pdf/<name>`.
#[must_use]
pub fn pdf_path(name: &str) -> PathBuf {
    root().join("tests/pdf").join(name)
}

/// The sample file `tests/pdf/<name>`.
#[must_use]
pub fn pdf(name: &str) -> Vec<u8> {
    let path = pdf_path(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What is known of the good sample files, by their names: pages, title, words, phrases.
#[must_use]
pub fn expected() -> serde_json::Map<String, Value> {
    serde_json::from_slice(&pdf("expected.json")).unwrap()
}

/// The local AWS that the tests run on.
#[must_use]
pub fn endpoint() -> String {
    std::env::var("AWS_ENDPOINT_URL")
        .expect("AWS_ENDPOINT_URL is not set: these tests need a local AWS; run `make test`")
}
