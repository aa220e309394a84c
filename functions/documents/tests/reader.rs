//! The reader's process: what real files hold, and what hostile ones come to.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::time::Instant;

use documents::pdf::{Contents, Refusal};
use documents::reader::{MAX_TIME, Reader};
use testing::{expected, pdf_path};

async fn read(name: &str) -> (Result<Contents, Refusal>, String) {
    let reader = Reader::new(env!("CARGO_BIN_EXE_documents-process").into());
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text.txt");
    let outcome = reader.read(&pdf_path(name), &text).await.unwrap();
    (outcome, std::fs::read_to_string(&text).unwrap_or_default())
}

#[tokio::test]
async fn real_files_are_read() {
    for (name, known) in expected() {
        let (outcome, text) = read(&name).await;
        let contents = outcome.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        assert_eq!(contents.pages as u64, known["pages"].as_u64().unwrap(), "{name}");
        assert_eq!(contents.title.as_deref(), known["title"].as_str(), "{name}");
        let words_min = known["words_min"].as_u64().unwrap();
        assert!(contents.words as u64 >= words_min, "{name}: {} of {words_min}", contents.words);
        for phrase in known["phrases"].as_array().unwrap() {
            let phrase = phrase.as_str().unwrap();
            assert!(text.contains(phrase), "{name}: {phrase:?} is not in:\n{text}");
        }
    }
}

#[tokio::test]
async fn what_is_no_pdf_or_broken_is_said() {
    for (name, refusal) in [
        ("empty.pdf", Refusal::NotAPdf),
        ("text.pdf", Refusal::NotAPdf),
        ("picture.pdf", Refusal::NotAPdf),
        ("zip.pdf", Refusal::NotAPdf),
        ("header-only.pdf", Refusal::Damaged),
        ("no-pages.pdf", Refusal::Damaged),
        ("truncated.pdf", Refusal::Damaged),
        ("password.pdf", Refusal::PasswordProtected),
    ] {
        assert_eq!(read(&format!("bad/{name}")).await.0, Err(refusal), "{name}");
    }
}

#[tokio::test]
async fn a_file_without_a_table_of_its_objects_is_still_read() {
    let (outcome, text) = read("bad/truncated-startxref.pdf").await;
    assert_eq!(outcome.unwrap().pages, 8);
    assert!(text.contains("Security Extension Server Design Draft"));
}

/// Whatever a file does, the worker gets an answer, in time, and lives.
#[tokio::test]
async fn hostile_files_end_within_their_limits() {
    for name in [
        "flate-bomb.pdf",
        "form-bomb.pdf",
        "self-form.pdf",
        "nested-arrays.pdf",
        "nested-content.pdf",
        "page-loop.pdf",
        "truncated-tail.pdf",
    ] {
        let start = Instant::now();
        let (outcome, _) = read(&format!("bad/{name}")).await;
        eprintln!(
            "{name}: {:?} after {:?}",
            outcome.map(|contents| contents.pages),
            start.elapsed()
        );
        assert!(start.elapsed() < MAX_TIME * 2, "{name}");
    }
    assert_eq!(read("bad/flate-bomb.pdf").await.0, Err(Refusal::TooComplex));
    assert_eq!(read("bad/form-bomb.pdf").await.0, Err(Refusal::TooComplex));
}
