//! Extraction of text and data from clean files, and the handling of hostile files.

use std::time::{Duration, Instant};

use documents::document::Status;
use documents::reading::Inspected;
use documents::sandbox::{AnswerOnly, ChildEnded, Task};
use documents::stage::{Limit, Outcome, Rejection, Stage, Waiting};
use documents::stages::text::ExtractText;
use extraction::{Grounding, Match, Warning};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use testing::contract::CONTRACT;
use testing::{expected, pdf};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{System, message, model, sandbox, schema, system};

#[tokio::test(flavor = "multi_thread")]
async fn real_files_give_the_expected_text() {
    let s = system().await;
    for (name, known) in expected() {
        let id = s.uploaded(pdf(&name)).await;
        let document = s.run(id).await;
        assert_eq!(document.status, Status::Ready, "{name}: {document:?}");
        let text = document.stages.text.unwrap().result.unwrap();
        assert_eq!(text.pages as u64, known["pages"].as_u64().unwrap(), "{name}");
        let title = known["title"].as_str().or(known["xmp_title"].as_str());
        assert_eq!(text.title.as_deref(), title, "{name}");
        let words_min = known["words_min"].as_u64().unwrap();
        assert!(text.words as u64 >= words_min, "{name}: {} of {words_min}", text.words);
        let stored = s.objects.fetch(&text.text_key, 1 << 24).await.unwrap().unwrap();
        let stored = String::from_utf8(stored).unwrap();
        for phrase in known["phrases"].as_array().unwrap() {
            let phrase = phrase.as_str().unwrap();
            assert!(stored.contains(phrase), "{name}: {phrase:?} is not in:\n{stored}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_a_valid_pdf_is_rejected_with_the_reason() {
    let s = system().await;
    for (name, code) in [
        ("text.pdf", "not_a_pdf"),
        ("picture.pdf", "not_a_pdf"),
        ("zip.pdf", "not_a_pdf"),
        ("header-only.pdf", "damaged"),
        ("no-pages.pdf", "damaged"),
        ("password.pdf", "password_protected"),
    ] {
        let id = s.uploaded(pdf(&format!("bad/{name}"))).await;
        s.deliver(Stage::Validate, id, 1).await.unwrap();
        match s.document(id).await.rejection {
            Some(Rejection::Invalid { reasons }) => assert_eq!(reasons[0].code, code, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// How often a file was refused and read, and the limits that it reached.
#[derive(Default)]
struct Counts {
    refused: usize,
    read: usize,
    limited: Vec<Limit>,
}

/// For every hostile file, the worker gets an answer in time and survives.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_end_in_a_verdict_within_their_limits() {
    let s = system().await;
    let files = stream::iter(hostile_pdfs::all()).map(|case| read_hostile(&s, case));
    let files: Vec<Counts> = files.buffer_unordered(3).collect().await;
    let refused: usize = files.iter().map(|counts| counts.refused).sum();
    let read: usize = files.iter().map(|counts| counts.read).sum();
    let limited: Vec<_> = files.iter().flat_map(|counts| &counts.limited).collect();
    eprintln!("{refused} refused, {read} read, {} reached a limit: {limited:?}", limited.len());
    assert!(refused > 100 && read > 100, "{refused} refused, {read} read");
}

/// Inspects a file and, if the policy accepts it, runs the other readers on it.
async fn read_hostile(s: &System, case: hostile_pdfs::Case) -> Counts {
    let (start, name) = (Instant::now(), case.name);
    let id = s.uploaded(case.bytes).await;
    let document = s.document(id).await;
    let run = async |task: Task| {
        let mut file = s.objects.upload(&document);
        let ended = sandbox().run(&task, &mut file, &mut AnswerOnly).await;
        ended.unwrap_or_else(|error| panic!("{name}: {error:?}"))
    };
    let mut counts = Counts::default();
    match run(Task::Inspect(pdf_inspect::Policy::default())).await {
        ChildEnded::Answered(answer) => match serde_json::from_slice(&answer).unwrap() {
            Inspected::Refused { .. } => counts.refused += 1,
            Inspected::Accepted(_) => {
                for task in [Task::Pdfa, Task::Text { skip: 0 }] {
                    match run(task).await {
                        ChildEnded::Answered(_) => counts.read += 1,
                        ChildEnded::Limited(limit) => counts.limited.push(limit),
                        other => panic!("{name}: {other:?}"),
                    }
                }
            }
        },
        ChildEnded::Limited(limit) => counts.limited.push(limit),
        other => panic!("{name}: {other:?}"),
    }
    eprintln!("{name}: {:?} after {:?}", counts.limited, start.elapsed());
    counts
}

/// A reader that writes much to standard error does not block.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_panic_in_every_font_is_read() {
    let s = system().await;
    let document = s.run(s.uploaded(hostile_pdfs::resources::differences_last().bytes).await).await;
    assert_eq!(document.status, Status::Ready, "{document:?}");
    assert_eq!(document.stages.text.unwrap().result.unwrap().excerpt, "text\n\u{c}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_crashes_its_reader_twice_is_rejected() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    let work = documents::stages::validate::Validate {
        documents: s.documents.clone(),
        objects: s.objects.clone(),
        sandbox: documents::sandbox::Sandbox::new(s.crashing_program()),
    };
    assert!(s.job(&work, id, 1).await.is_err(), "the first crash may have another cause");
    s.job(&work, id, 2).await.unwrap();
    let document = s.document(id).await;
    assert_eq!(document.status, Status::Rejected);
    let limit = documents::stage::Limit::Crash;
    assert_eq!(document.rejection, Some(Rejection::ParserLimits { limit }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_document_continues_where_the_last_invocation_stopped() {
    let s = system().await;
    let at_once = s.uploaded(pdf("x11-security.pdf")).await;
    let at_once = s.run(at_once).await.stages.text.unwrap().result.unwrap();

    // Another tenant's document, so that no results are reused.
    let id = s.uploaded_with(pdf("x11-security.pdf"), |document| document.tenant = s.ids.next());
    let id = id.await;
    for stage in [Stage::Validate, Stage::Scan, Stage::Pdfa] {
        s.deliver(stage, id, 1).await.unwrap();
    }
    s.drain("text").await;
    let work = ExtractText {
        documents: s.documents.clone(),
        objects: s.objects.clone(),
        sandbox: sandbox(),
        clock: s.clock.clone(),
    };
    let mut invocations = 0;
    while s.document(id).await.stage == Stage::Text {
        // Time for one page only.
        let until = s.clock.now() + Duration::from_secs(10);
        s.pipeline.job(&work, message(s.key(id), 1), until).await.unwrap();
        invocations += 1;
        let document = s.document(id).await;
        if let Some(progress) = document.progress {
            assert_eq!(progress.pages, invocations);
            assert_eq!(s.drain("text").await.len(), 1, "the rest is queued");
        }
    }
    assert!(invocations >= at_once.pages);
    let done = s.document(id).await.stages.text.unwrap().result.unwrap();
    assert_eq!((done.pages, done.words), (at_once.pages, at_once.words));
    assert_eq!(done.excerpt, at_once.excerpt);
    assert_eq!(text(&s, &done.text_key).await, text(&s, &at_once.text_key).await);
    let ranges: Vec<_> = done.runs.iter().map(|run| (run.from, run.to)).collect();
    assert_eq!(ranges, (1..=done.pages).map(|page| (page, page)).collect::<Vec<_>>());
}

async fn text(s: &System, key: &str) -> String {
    String::from_utf8(s.objects.fetch(key, 1 << 24).await.unwrap().unwrap()).unwrap()
}

async fn answering(server: &MockServer, content: &Value) {
    let answer = json!({
        "choices": [{"message": {"role": "assistant", "content": content.to_string()},
                     "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20}
    });
    let respond = ResponseTemplate::new(200).set_body_json(answer);
    Mock::given(method("POST")).respond_with(respond).mount(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_wait_while_the_model_is_down_and_continue_afterwards() {
    let mut s = system().await;
    let id = s.uploaded_with(pdf("x11-security.pdf"), |document| {
        document.announced.schema = Some(schema("summary@1"));
    });
    let id = id.await;
    let wanted = json!({
        "type": "object",
        "properties": {"title": {"type": "string"}, "secret": {"type": "string"}},
        "required": ["title"],
    });
    let (name, wanted) = (schema("summary@1"), wanted.to_string());
    assert!(s.documents.add_schema(s.tenant, &name, &wanted).await.unwrap());
    let document = s.run(id).await;
    assert_eq!(document.waiting, Some(Waiting::Model));
    assert_eq!(document.status_at(s.clock.now()), Status::ModelPending);

    let server = MockServer::start().await;
    // One of the answered values is not in the document.
    answering(
        &server,
        &json!({"title": "Security Extension Server Design Draft", "secret": "zzqx"}),
    )
    .await;
    s.model = model(&server.uri());
    s.deliver(Stage::Structure, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!(document.status, Status::Ready, "{document:?}");
    let found = document.stages.structure.unwrap().result.unwrap();
    assert_eq!((found.values, found.grounded), (2, 1), "{found:?}");
    assert!(found.input_tokens >= 100);
    let data: Value = serde_json::from_str(&text(&s, found.key.as_deref().unwrap()).await).unwrap();
    assert_eq!(data["value"]["title"], "Security Extension Server Design Draft");
    is_in_the_contract("ExtractedData", &data);
    let secret = data["fields"].as_array().unwrap().iter().find(|field| field["value"] == "zzqx");
    assert_eq!(secret.unwrap()["grounding"], "ungrounded");

    // The same bytes with the same schema need no further model call.
    let requests = server.received_requests().await.unwrap().len();
    let again = s.uploaded_with(pdf("x11-security.pdf"), |document| {
        document.announced.schema = Some(schema("summary@1"));
    });
    let again = s.run(again.await).await;
    assert_eq!(again.stages.structure.unwrap().outcome, Outcome::Reused);
    assert_eq!(server.received_requests().await.unwrap().len(), requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_does_not_fit_the_schema_is_incomplete() {
    let mut s = system().await;
    let server = MockServer::start().await;
    answering(&server, &json!({"nothing": "of use"})).await;
    s.model = model(&server.uri());
    let id = s.uploaded_with(pdf("invoice-pdfa2b.pdf"), |document| {
        document.announced.schema = Some(schema("invoice@1"));
    });
    let document = s.run(id.await).await;
    assert_eq!(document.status, Status::Ready, "{document:?}");
    let found = document.stages.structure.unwrap().result.unwrap();
    assert_eq!(found.problem, Some(documents::stage::Problem::Incomplete), "{found:?}");
    let data: Value = serde_json::from_str(&text(&s, found.key.as_deref().unwrap()).await).unwrap();
    is_in_the_contract("ExtractedData", &data);
    assert_eq!(data["warnings"][0]["kind"], "unknown_properties");
    assert!(!data["violations"].as_array().unwrap().is_empty());
}

/// The contract describes types of `extraction` a second time.
fn is_in_the_contract(name: &str, value: &impl serde::Serialize) {
    let schema = json!({"$ref": format!("#/components/schemas/{name}")});
    CONTRACT.validate(&schema, &json!(value)).unwrap();
}

#[test]
fn all_kinds_of_warnings_and_matches_are_in_the_contract() {
    let (page, count) = (1, 2);
    for warning in [
        Warning::Conflict { pointer: "/total".into(), values: 2 },
        Warning::UnknownProperties { page, count },
        Warning::Cut { page, count },
        Warning::CutOff { page },
        Warning::NoAnswer { page },
        Warning::Unread { page },
    ] {
        is_in_the_contract("DataWarning", &warning);
    }
    for grounding in
        [Grounding::Grounded, Grounding::Derived, Grounding::Ambiguous, Grounding::Ungrounded]
    {
        is_in_the_contract("Grounding", &grounding);
    }
    for matched in [
        Match::Exact,
        Match::Normalised,
        Match::Date,
        Match::Number,
        Match::Scaled,
        Match::Symbol,
        Match::OtherSign,
        Match::Words,
    ] {
        is_in_the_contract("TextMatch", &matched);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_larger_than_an_answer_is_too_large() {
    let mut s = system().await;
    let wanted = json!({
        "type": "object",
        "properties": {"numbers": {"type": "array", "items": {"type": "integer"}}},
    });
    let numbers = schema("numbers@1");
    assert!(s.documents.add_schema(s.tenant, &numbers, &wanted.to_string()).await.unwrap());
    let server = MockServer::start().await;
    answering(&server, &json!({"numbers": vec![1; 60_000]})).await;
    s.model = model(&server.uri());
    let id = s.uploaded_with(pdf("statement.pdf"), |document| {
        document.announced.schema = Some(numbers);
    });
    let document = s.run(id.await).await;
    assert_eq!(document.status, Status::Ready, "{document:?}");
    let found = document.stages.structure.unwrap().result.unwrap();
    assert_eq!(found.problem, Some(documents::stage::Problem::TooLarge), "{found:?}");
    assert_eq!((found.key, found.values), (None, 60_000));
    assert!(s.versions("structure/").await.is_empty());
}

/// Runs `confined` in a separate process, because the limits cannot be removed.
#[test]
fn a_reader_cannot_open_files_or_sockets() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--ignored", "--exact", "extraction::confined", "--nocapture"]);
    let output = child.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

#[test]
#[ignore = "a_reader_cannot_open_files_or_sockets runs it"]
fn confined() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert!(std::net::TcpStream::connect(address).is_ok());
    let file = std::env::temp_dir().join("confined");
    assert!(std::fs::File::create(&file).is_ok());
    assert!(std::fs::File::open("/etc/hostname").is_ok());
    assert!(std::net::UdpSocket::bind("127.0.0.1:0").is_ok());
    documents::sandbox::confine().unwrap();
    assert!(std::fs::File::open("/etc/hostname").is_err(), "it opened a file");
    assert!(std::fs::File::create(&file).is_err(), "it created a file");
    assert!(std::net::UdpSocket::bind("127.0.0.1:0").is_err(), "it opened a socket");
    assert!(std::net::TcpStream::connect(address).is_err(), "it opened a connection");
    let mut too_much = Vec::<u8>::new();
    let size = usize::try_from(documents::sandbox::MAX_MEMORY).unwrap();
    assert!(too_much.try_reserve_exact(size).is_err(), "it allocated too much memory");
}

#[tokio::test]
async fn a_schema_that_is_no_longer_valid_gives_the_problem_schema() {
    let s = system().await;
    let name = schema("old@1");
    let id = s.uploaded_with(pdf("x11-security.pdf"), |document| {
        document.announced.schema = Some(schema("old@1"));
    });
    let id = id.await;
    // Earlier rules accepted this schema.
    let wanted = json!({"type": "object", "properties": {"title": {"enum": []}}}).to_string();
    assert!(s.documents.add_schema(s.tenant, &name, &wanted).await.unwrap());
    let document = s.run(id).await;
    assert_eq!(document.status, Status::Ready, "{document:?}");
    let found = document.stages.structure.unwrap().result.unwrap();
    assert_eq!((found.problem, found.key), (Some(documents::stage::Problem::Schema), None));
}
