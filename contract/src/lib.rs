//! The contract: the OpenAPI document of all systems, from the types of their handlers.
//!
//! **Guarantees.** The document depends only on the source and on the sample events: each build gives the
//! same text. `make openapi` writes it, and a test fails if `openapi.yaml` differs. That the endpoints answer as the document says is
//! checked by `testing::contract`, for each response of each test.
//!
//! Examples are real. The example of a request is the body of the function's sample event. The example of an
//! answer is in `events/<system>/answers/`; a test's answer becomes one with `RECORD_ANSWERS=1`. An answer
//! with several forms has an example of each: `<lambda>@<version>.json`.

pub mod breaking;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use shared::http::contract::{self, document};
use shared::http::version::ApiVersion;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, OpenApi, RefOr};

/// A system's part of the document.
type Part = fn() -> Vec<contract::Operation>;

// A line each, because `make take` leaves out those of other systems.
#[rustfmt::skip]
const OPERATIONS: &[Part] = &[
    auth::api::operations,
    checkout::api::operations,
    documents::api::operations,
    inventory::api::operations,
];
#[rustfmt::skip]
const WEBHOOKS: &[Part] = &[
    checkout::api::webhooks,
    documents::api::webhooks,
];

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The document as YAML.
///
/// # Errors
/// When a sample event cannot be read.
pub fn yaml() -> Result<String, Box<dyn std::error::Error>> {
    let yaml = yaml_serde::to_string(&openapi()?)?;
    Ok(yaml.lines().map(|line| with_quoted_day(line) + "\n").collect())
}

/// The line with quotes around a value or a key that is a day or a time. In YAML 1.2 they are texts, but readers
/// of YAML 1.1, such as that of Python, take them for dates.
fn with_quoted_day(line: &str) -> String {
    let start = line.len() - line.trim_start_matches([' ', '-']).len();
    let content = &line[start..];
    let quoted = |text: &str| {
        if is_day_or_time(text) { format!("'{text}'") } else { text.to_owned() }
    };
    let content = match (content.split_once(": "), content.strip_suffix(':')) {
        (Some((key, value)), _) => format!("{}: {}", quoted(key), quoted(value)),
        (None, Some(key)) => format!("{}:", quoted(key)),
        (None, None) => quoted(content),
    };
    format!("{}{content}", &line[..start])
}

/// Whether a text begins with a day, and goes on with nothing but a time.
fn is_day_or_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_day = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_day && bytes[10..].iter().all(|byte| byte.is_ascii_digit() || b"T:.Z".contains(byte))
}

/// The document, with its examples.
fn openapi() -> Result<OpenApi, Box<dyn std::error::Error>> {
    let all = |parts: &[Part]| parts.iter().flat_map(|part| part()).collect();
    let mut openapi = document(all(OPERATIONS), all(WEBHOOKS));
    for item in openapi.paths.paths.values_mut() {
        let PathItem { get, put, post, patch, delete, .. } = item;
        for operation in [get, put, post, patch, delete].into_iter().flatten() {
            add_examples(operation)?;
        }
    }
    Ok(openapi)
}

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

fn add_examples(operation: &mut Operation) -> Result<(), Box<dyn std::error::Error>> {
    let id = operation.operation_id.clone().unwrap_or_default();
    let system = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    let folder = root().join("events").join(&system);
    let file = format!("{}.json", id.strip_prefix(&format!("{system}-")).unwrap_or(&id));
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && let Some((media_type, RefOr::T(content))) = body.content.iter_mut().next()
    {
        let event: Value = serde_json::from_str(&fs::read_to_string(folder.join(&file))?)?;
        content.example = if media_type == FORM { Some(fields(&event)?) } else { json(&event)? };
    }
    let answers = folder.join("answers");
    for version in ApiVersion::SERVED {
        let of_version = answers.join(file.replace(".json", &format!("@{version}.json")));
        if of_version.exists() {
            let named = |content: &mut Content, body| {
                let example = ExampleBuilder::new().value(Some(body)).build();
                content.examples.insert(version.to_string(), example.into());
            };
            add_answer(operation, &of_version, named)?;
        }
    }
    let answer = answers.join(file);
    if answer.exists() {
        add_answer(operation, &answer, |content, body| content.example = Some(body))?;
    }
    Ok(())
}

/// The JSON that an event has.
fn json(event: &Value) -> Result<Option<Value>, Box<dyn std::error::Error>> {
    // The sample event names an address, so that its test needs no name server.
    let text = event["body"].as_str().map(|text| text.replace("1.1.1.1", "example.org"));
    Ok(text.as_deref().map(serde_json::from_str).transpose()?)
}

/// The fields of the form that an event has. API Gateway encodes its body.
fn fields(event: &Value) -> Result<Value, Box<dyn std::error::Error>> {
    let form = BASE64_STANDARD.decode(event["body"].as_str().unwrap_or_default())?;
    let fields = form_urlencoded::parse(&form).into_owned();
    Ok(fields.map(|(name, text)| (name, Value::from(text))).collect())
}

/// Adds the answer in a file to the answers of its status.
fn add_answer(
    operation: &mut Operation,
    file: &Path,
    add: impl FnOnce(&mut Content, Value),
) -> Result<(), Box<dyn std::error::Error>> {
    let mut answer: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let status = answer["status"].to_string();
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(&status)
        && let Some(RefOr::T(content)) = response.content.get_mut("application/json")
    {
        add(content, answer["body"].take());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_quoted() {
        for (line, quoted) in [
            ("      - 2026-11-30", "      - '2026-11-30'"),
            ("  example: 2026-11-21T10:00:00Z", "  example: '2026-11-21T10:00:00Z'"),
            ("    at: 2026-11-30T07:02:11.482Z", "    at: '2026-11-30T07:02:11.482Z'"),
            ("            2026-11-30:", "            '2026-11-30':"),
            ("  2026-11-30: '2027-12-01'", "  '2026-11-30': '2027-12-01'"),
            ("  2026-11-30: 2027-12-01", "  '2026-11-30': '2027-12-01'"),
            ("  - at: 2026-11-30", "  - at: '2026-11-30'"),
            ("  text: 2026-11-30 is a day", "  text: 2026-11-30 is a day"),
            ("  at: '2026-11-30'", "  at: '2026-11-30'"),
            ("  number: 2026", "  number: 2026"),
            ("paths:", "paths:"),
        ] {
            assert_eq!(with_quoted_day(line), quoted);
        }
    }
}
