//! No file passes that a scanner has not found clean.

use std::time::Duration;

use aws_sdk_s3::types::{Tag, Tagging};
use documents::document::{Document, Status};
use documents::objects::upload_key;
use documents::on_malware_verdict::OnMalwareVerdict;
use documents::scanner::{Clamd, Scanner};
use documents::stage::{Failure, Rejection, Stage, Waiting};
use documents::stages::LONGEST_WAIT;
use serde_json::Value;
use shared::batch::Failure as Trouble;
use testing::{account, event, infected_pdf, pdf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{System, system};

/// A document at the stage `scan`.
async fn validated(s: &System, file: Vec<u8>) -> documents::document::DocumentId {
    let id = s.uploaded(file).await;
    s.deliver(Stage::Validate, id, 1).await.unwrap();
    s.drain("scan").await;
    id
}

/// A document that no later stage can read, nobody can download, and that is not lost.
async fn is_kept_back(s: &System, document: &Document) {
    assert_eq!(document.clean_version, None);
    assert!(s.versions("clean/").await.is_empty());
    assert!(s.drain("pdfa").await.is_empty());
    assert!(s.objects.file_link(document).await.unwrap().is_none());
}

async fn waits(s: &System, document: &Document) {
    assert_eq!(document.status_at(s.clock.now()), Status::ScanPending);
    assert_eq!((document.stage, document.lease_until), (Stage::Scan, None));
    is_kept_back(s, document).await;
    assert_eq!(account::queue_size(&s.aws, s.queue_url("scan")).await, 1, "it comes again");
}

#[tokio::test(flavor = "multi_thread")]
async fn malware_is_rejected_and_kept_from_everybody() {
    let s = system().await;
    // Deep in an attachment, deflated.
    let id = validated(&s, infected_pdf()).await;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    let signature = "Eicar-Test-Signature.UNOFFICIAL".to_owned();
    assert_eq!(document.rejection, Some(Rejection::Infected { signature }));
    assert_eq!(document.status, Status::Rejected);
    is_kept_back(&s, &document).await;
    // Whatever is delivered after.
    for stage in Stage::ALL {
        s.deliver(stage, id, 2).await.unwrap();
    }
    assert_eq!(s.document(id).await, document);
}

#[tokio::test]
async fn while_clamd_is_down_documents_wait_and_none_passes() {
    let mut s = system().await;
    let up = std::mem::replace(&mut s.scanner, Scanner::Clamd(Clamd::new("127.0.0.1:1".into())));
    let id = validated(&s, pdf("statement.pdf")).await;
    for _ in 0..20 {
        // As often as it takes: waiting is no attempt.
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        let document = s.document(id).await;
        assert_eq!((document.waiting, document.attempts), (Some(Waiting::Scanner), 0));
    }
    let since = s.document(id).await.waiting_since;
    s.advance(Duration::from_mins(5));
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!(document.waiting_since, since);
    let waits = document.history.iter().filter(|entry| entry.event == "waiting").count();
    assert_eq!(waits, 1, "it is news once");
    is_kept_back(&s, &document).await;
    assert!(account::queue_size(&s.aws, s.queue_url("scan")).await >= 1);

    // It is back.
    s.scanner = up;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!((document.stage, document.waiting), (Stage::Pdfa, None));
}

#[tokio::test]
async fn a_document_does_not_wait_for_ever() {
    let mut s = system().await;
    let up = std::mem::replace(&mut s.scanner, Scanner::Clamd(Clamd::new("127.0.0.1:1".into())));
    let id = validated(&s, pdf("statement.pdf")).await;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    s.advance(LONGEST_WAIT + Duration::from_secs(1));
    let last = s.deliver(Stage::Scan, id, 1).await;
    assert!(matches!(last, Err(Trouble::Permanent(_))), "the job is kept: {last:?}");
    let document = s.document(id).await;
    assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::GaveUp)));
    is_kept_back(&s, &document).await;

    // The operator redrives it, and it waits as long again; when the scanner is back, it goes on.
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!(document.status_at(s.clock.now()), Status::ScanPending);
    assert_eq!(document.waiting_since, Some(s.clock.now()));
    s.scanner = up;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    assert_eq!(s.document(id).await.stage, Stage::Pdfa);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_over_a_file_is_neither_scanned_nor_passed() {
    // A form can be posted again while it is good: another file under the same key.
    let s = system().await;
    let clean = pdf("statement.pdf");
    for late in [Stage::Validate, Stage::Scan] {
        let id = s.uploaded(clean.clone()).await;
        if late == Stage::Scan {
            s.deliver(Stage::Validate, id, 1).await.unwrap();
        }
        s.told(&s.put(id, infected_pdf()).await).await;
        let document = s.run(id).await;
        assert_eq!(document.status, Status::Ready);
        let link = s.objects.file_link(&document).await.unwrap().unwrap();
        let downloaded = reqwest::get(link).await.unwrap().bytes().await.unwrap();
        assert!(downloaded == clean, "another file than was scanned");
    }

    // And the other way round: what came first is what counts.
    let id = s.uploaded(infected_pdf()).await;
    s.told(&s.put(id, clean).await).await;
    let document = s.run(id).await;
    assert!(matches!(document.rejection, Some(Rejection::Infected { .. })), "{document:?}");
}

/// A server that does with each connection what `behave` does.
async fn server<F, Fut>(behave: F) -> Scanner
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            behave(stream).await;
        }
    });
    Scanner::Clamd(Clamd::new(address.to_string()))
}

/// Reads a whole scan: the command, the pieces, the empty piece.
async fn read_all(stream: &mut TcpStream) -> usize {
    let mut command = [0; 10];
    stream.read_exact(&mut command).await.unwrap();
    assert_eq!(&command, b"zINSTREAM\0");
    let mut size = 0;
    loop {
        let length = stream.read_u32().await.unwrap() as usize;
        if length == 0 {
            return size;
        }
        let mut piece = vec![0; length];
        stream.read_exact(&mut piece).await.unwrap();
        size += length;
    }
}

/// A server that takes each file, and answers with this.
async fn answering(answer: &'static [u8]) -> Scanner {
    server(move |mut stream| async move {
        read_all(&mut stream).await;
        stream.write_all(answer).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn a_scanner_that_dies_or_talks_nonsense_passes_nothing() {
    for answer in [
        &b""[..],
        b"stream: OK",
        b"stream: OK\nmore\0",
        b"stream: \0",
        b"INSTREAM: Can't open file or directory ERROR\0",
        b"\xff\xfe\0",
    ] {
        let mut s = system().await;
        s.scanner = answering(answer).await;
        let id = validated(&s, pdf("statement.pdf")).await;
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        waits(&s, &s.document(id).await).await;
    }

    // It dies in the middle of a file, or as soon as it is called.
    for taken in [0, 10, 1000] {
        let mut s = system().await;
        s.scanner = server(move |mut stream| async move {
            let mut some = vec![0; taken];
            stream.read_exact(&mut some).await.unwrap();
        })
        .await;
        let id = validated(&s, pdf("x11-security.pdf")).await;
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        waits(&s, &s.document(id).await).await;
    }
}

#[tokio::test]
async fn a_file_that_the_scanner_will_not_take_does_not_pass() {
    let mut s = system().await;
    for answer in
        [&b"INSTREAM size limit exceeded. ERROR\0"[..], b"stream: Heuristics.Encrypted.PDF FOUND\0"]
    {
        s.scanner = answering(answer).await;
        let id = validated(&s, pdf("statement.pdf")).await;
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        let document = s.document(id).await;
        assert!(matches!(document.rejection, Some(Rejection::Unscannable { .. })));
        is_kept_back(&s, &document).await;
    }
}

#[tokio::test]
async fn another_file_than_was_announced_is_rejected() {
    let s = system().await;
    let id = s
        .uploaded_with(pdf("statement.pdf"), |document| {
            document.announced.sha256 = Some("0".repeat(64).try_into().unwrap());
        })
        .await;
    s.deliver(Stage::Validate, id, 1).await.unwrap();
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!(document.rejection, Some(Rejection::ChecksumMismatch));
    is_kept_back(&s, &document).await;
}

#[tokio::test]
async fn guardduty_s_tag_decides_and_its_event_only_wakes() {
    for (status, passes) in
        [("NO_THREATS_FOUND", true), ("THREATS_FOUND", false), ("UNSUPPORTED", false)]
    {
        let mut s = system().await;
        s.scanner = Scanner::GuardDuty;
        let (documents, queues) = (s.documents.clone(), s.pipeline.queues.clone());
        let task = OnMalwareVerdict { documents, queues };
        let id = validated(&s, pdf("statement.pdf")).await;
        let key = upload_key(s.key(id));
        let version = s.document(id).await.object_version.unwrap();
        // Whatever is found, the event claims that it was nothing.
        let mut told: Value = serde_json::from_str(&event("documents-on-malware-verdict")).unwrap();
        told["detail"]["s3ObjectDetails"]["objectKey"] = key.clone().into();
        told["detail"]["s3ObjectDetails"]["versionId"] = version.clone().into();
        let told = || serde_json::from_value(told.clone()).unwrap();

        // Not scanned yet; a forged event changes nothing.
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        waits(&s, &s.document(id).await).await;
        task.handle(told()).await.unwrap();
        assert_eq!(s.drain("scan").await.len(), 1, "it is woken at once");
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        let document = s.document(id).await;
        assert_eq!(document.status_at(s.clock.now()), Status::ScanPending);
        is_kept_back(&s, &document).await;

        let tag = Tag::builder().key("GuardDutyMalwareScanStatus").value(status).build().unwrap();
        let tagging = Tagging::builder().tag_set(tag).build().unwrap();
        let put = account::s3(&s.aws).put_object_tagging().bucket(&s.bucket).key(&key);
        put.version_id(&version).tagging(tagging).send().await.unwrap();
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        let document = s.document(id).await;
        assert_eq!(document.stage == Stage::Pdfa, passes, "{status}");
        if !passes {
            assert_eq!(document.status, Status::Rejected);
            is_kept_back(&s, &document).await;
        }
    }
}
