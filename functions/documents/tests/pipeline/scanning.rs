//! A file passes only if the scanner found it clean.

use std::time::Duration;

use aws_sdk_s3::types::{Tag, Tagging};
use documents::document::{Document, Status};
use documents::objects::upload_key;
use documents::on_malware_verdict::OnMalwareVerdict;
use documents::scanner::{Clamd, Scanner};
use documents::stage::{Failure, Rejection, Stage, Waiting};
use documents::stages::LONGEST_WAIT;
use serde_json::Value;
use shared::batch;
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

/// Asserts that no later stage can read the document and nobody can download it.
async fn assert_quarantined(s: &System, document: &Document) {
    assert_eq!(document.clean_version, None);
    assert!(s.versions("clean/").await.is_empty());
    assert!(s.drain("pdfa").await.is_empty());
    assert!(s.objects.file_link(document).await.unwrap().is_none());
}

async fn assert_waits(s: &System, document: &Document) {
    assert_eq!(document.status_at(s.clock.now()), Status::ScanPending);
    assert_eq!((document.stage, document.lease_until), (Stage::Scan, None));
    assert_quarantined(s, document).await;
    assert_eq!(account::queue_size(&s.aws, s.queue_url("scan")).await, 1, "a job is queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn malware_is_rejected_and_stays_in_quarantine() {
    let s = system().await;
    // The malware is in a deflated attachment.
    let id = validated(&s, infected_pdf()).await;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    let signature = "Eicar-Test-Signature.UNOFFICIAL".to_owned();
    assert_eq!(document.rejection, Some(Rejection::Infected { signature }));
    assert_eq!(document.status, Status::Rejected);
    assert_quarantined(&s, &document).await;
    // Later jobs change nothing.
    for stage in Stage::ALL {
        s.deliver(stage, id, 2).await.unwrap();
    }
    assert_eq!(s.document(id).await, document);
}

#[tokio::test]
async fn documents_wait_while_clamd_is_down() {
    let mut s = system().await;
    let up = std::mem::replace(&mut s.scanner, Scanner::Clamd(Clamd::new("127.0.0.1:1".into())));
    let id = validated(&s, pdf("statement.pdf")).await;
    for _ in 0..20 {
        // Waiting does not count as an attempt.
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
    assert_eq!(waits, 1, "one entry for one wait");
    assert_quarantined(&s, &document).await;
    assert!(account::queue_size(&s.aws, s.queue_url("scan")).await >= 1);

    // clamd is available again.
    s.scanner = up;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!((document.stage, document.waiting), (Stage::Pdfa, None));
}

#[tokio::test]
async fn a_document_fails_after_the_longest_wait() {
    let mut s = system().await;
    let up = std::mem::replace(&mut s.scanner, Scanner::Clamd(Clamd::new("127.0.0.1:1".into())));
    let id = validated(&s, pdf("statement.pdf")).await;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    s.advance(LONGEST_WAIT + Duration::from_secs(1));
    let last = s.deliver(Stage::Scan, id, 1).await;
    assert!(matches!(last, Err(batch::Failure::Permanent(_))), "the job is kept: {last:?}");
    let document = s.document(id).await;
    assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::GaveUp)));
    assert_quarantined(&s, &document).await;

    // After a redrive the wait starts anew. When the scanner is available, the document continues.
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!(document.status_at(s.clock.now()), Status::ScanPending);
    assert_eq!(document.waiting_since, Some(s.clock.now()));
    s.scanner = up;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    assert_eq!(s.document(id).await.stage, Stage::Pdfa);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_upload_is_neither_scanned_nor_passed() {
    // A valid form can be posted again: another file at the same key.
    let s = system().await;
    let clean = pdf("statement.pdf");
    for late in [Stage::Validate, Stage::Scan] {
        let id = s.uploaded(clean.clone()).await;
        if late == Stage::Scan {
            s.deliver(Stage::Validate, id, 1).await.unwrap();
        }
        s.notify(&s.put(id, infected_pdf()).await).await;
        let document = s.run(id).await;
        assert_eq!(document.status, Status::Ready);
        let link = s.objects.file_link(&document).await.unwrap().unwrap();
        let downloaded = reqwest::get(link).await.unwrap().bytes().await.unwrap();
        assert!(downloaded == clean, "not the scanned file");
    }

    // In the other order too, the first upload counts.
    let id = s.uploaded(infected_pdf()).await;
    s.notify(&s.put(id, clean).await).await;
    let document = s.run(id).await;
    assert!(matches!(document.rejection, Some(Rejection::Infected { .. })), "{document:?}");
}

/// A server that runs `behave` for each connection.
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

/// Reads a whole scan request: the command, the pieces and the empty piece.
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

/// A server that receives each file and answers with `answer`.
async fn answering(answer: &'static [u8]) -> Scanner {
    server(move |mut stream| async move {
        read_all(&mut stream).await;
        stream.write_all(answer).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn a_scanner_that_crashes_or_answers_nonsense_passes_nothing() {
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
        assert_waits(&s, &s.document(id).await).await;
    }

    // The scanner crashes after so many bytes.
    for received in [0, 10, 1000] {
        let mut s = system().await;
        s.scanner = server(move |mut stream| async move {
            let mut bytes = vec![0; received];
            stream.read_exact(&mut bytes).await.unwrap();
        })
        .await;
        let id = validated(&s, pdf("x11-security.pdf")).await;
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        assert_waits(&s, &s.document(id).await).await;
    }
}

#[tokio::test]
async fn a_file_that_the_scanner_refuses_does_not_pass() {
    let mut s = system().await;
    for answer in
        [&b"INSTREAM size limit exceeded. ERROR\0"[..], b"stream: Heuristics.Encrypted.PDF FOUND\0"]
    {
        s.scanner = answering(answer).await;
        let id = validated(&s, pdf("statement.pdf")).await;
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        let document = s.document(id).await;
        assert!(matches!(document.rejection, Some(Rejection::Unscannable { .. })));
        assert_quarantined(&s, &document).await;
    }
}

#[tokio::test]
async fn a_file_with_another_hash_than_announced_is_rejected() {
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
    assert_quarantined(&s, &document).await;
}

#[tokio::test]
async fn guarddutys_tag_decides_and_its_event_only_queues_a_job() {
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
        // The event always claims that no threat was found.
        let mut forged: Value =
            serde_json::from_str(&event("documents-on-malware-verdict")).unwrap();
        forged["detail"]["s3ObjectDetails"]["objectKey"] = key.clone().into();
        forged["detail"]["s3ObjectDetails"]["versionId"] = version.clone().into();
        let forged = || serde_json::from_value(forged.clone()).unwrap();

        // The object is not scanned yet, and a forged event does not pass it.
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        assert_waits(&s, &s.document(id).await).await;
        task.handle(forged()).await.unwrap();
        assert_eq!(s.drain("scan").await.len(), 1, "a job is queued at once");
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        let document = s.document(id).await;
        assert_eq!(document.status_at(s.clock.now()), Status::ScanPending);
        assert_quarantined(&s, &document).await;

        let tag = Tag::builder().key("GuardDutyMalwareScanStatus").value(status).build().unwrap();
        let tagging = Tagging::builder().tag_set(tag).build().unwrap();
        let put = account::s3(&s.aws).put_object_tagging().bucket(&s.bucket).key(&key);
        put.version_id(&version).tagging(tagging).send().await.unwrap();
        s.deliver(Stage::Scan, id, 1).await.unwrap();
        let document = s.document(id).await;
        assert_eq!(document.stage == Stage::Pdfa, passes, "{status}");
        if !passes {
            assert_eq!(document.status, Status::Rejected);
            assert_quarantined(&s, &document).await;
        }
    }
}
