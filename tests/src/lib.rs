//! Helpers for tests: a separate AWS account for tests of stores and handlers, and the deployed stack
//! for end-to-end tests.
//!
//! Both need a local AWS at `AWS_ENDPOINT_URL`; `make test` starts one.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it fails")]
#![expect(clippy::missing_panics_doc, reason = "a test fails by a panic")]

pub mod account;
pub mod contract;
pub mod mailbox;
pub mod provider;
pub mod requests;
pub mod stack;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared::invocation::Invocation;

/// Calls `look` every 100 ms until it gives a value, and gives that value.
///
/// # Panics
/// When `look` has given `None` for `patience`.
pub async fn eventually<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < patience, "time-out: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// An invocation with a minute until its deadline.
#[must_use]
pub fn a_minute() -> Invocation {
    let mut context = lambda_runtime::Context::default();
    context.request_id = "req-1".into();
    let deadline = jiff::Timestamp::now() + Duration::from_mins(1);
    context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
    Invocation::of(&context, None)
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The sample event of the function `<system>-<function>`: `events/<system>/<function>.json`.
#[must_use]
pub fn event(name: &str) -> String {
    let path =
        |(at, _)| root().join("events").join(&name[..at]).join(format!("{}.json", &name[at + 1..]));
    // The name of a system may have a hyphen in it.
    let found = name.match_indices('-').map(path).find(|path| path.exists());
    let found = found.unwrap_or_else(|| panic!("events/ has no file of the function {name}"));
    std::fs::read_to_string(&found).unwrap_or_else(|e| panic!("{}: {e}", found.display()))
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

/// The known facts about the good sample files, by name: pages, title, words, phrases.
#[must_use]
pub fn expected() -> serde_json::Map<String, Value> {
    serde_json::from_slice(&pdf("expected.json")).unwrap()
}

/// The URL of the local AWS.
#[must_use]
pub fn endpoint() -> String {
    std::env::var("AWS_ENDPOINT_URL")
        .expect("AWS_ENDPOINT_URL is not set: these tests need a local AWS; run `make test`")
}

/// The host and port of clamd.
#[must_use]
pub fn clamd() -> String {
    std::env::var("CLAMD_ADDRESS")
        .expect("CLAMD_ADDRESS is not set: these tests need a clamd; run `make test`")
}

/// The test file that every scanner detects as malware: <https://www.eicar.org/download-anti-malware-testfile/>
#[must_use]
pub fn eicar() -> Vec<u8> {
    // In two parts, so that a scanner does not detect this source file.
    let text = concat!(r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
    text.as_bytes().to_vec()
}

/// A valid PDF with [`eicar`] as a deflated attachment.
#[must_use]
pub fn infected_pdf() -> Vec<u8> {
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    deflated.write_all(&eicar()).unwrap();
    let deflated = deflated.finish().unwrap();
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    let objects: [Vec<u8>; 5] = [
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a.txt) 4 0 R]>>>>>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>".to_vec(),
        b"<</Type/Filespec/F(a.txt)/EF<</F 5 0 R>>>>".to_vec(),
        [
            format!(
                "<</Type/EmbeddedFile/Filter/FlateDecode/Length {}>>\nstream\n",
                deflated.len()
            )
            .into_bytes(),
            deflated,
            b"\nendstream".to_vec(),
        ]
        .concat(),
    ];
    for (number, object) in (1..).zip(objects) {
        offsets.push(pdf.len());
        pdf.extend(format!("{number} 0 obj\n").into_bytes());
        pdf.extend(object);
        pdf.extend(b"\nendobj\n");
    }
    let xref = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).into_bytes());
    for offset in &offsets {
        pdf.extend(format!("{offset:010} 00000 n \n").into_bytes());
    }
    let trailer =
        format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n", offsets.len() + 1);
    pdf.extend(trailer.into_bytes());
    pdf
}
