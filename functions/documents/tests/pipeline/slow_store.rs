//! S3 is slow or stops in the middle of a file: the job is retried, and succeeds when S3 answers again.

use documents::objects::{self, Objects};
use documents::stage::{Stage, Waiting};
use shared::batch;
use testing::{account, endpoint, pdf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{System, schema, system};

/// A proxy to the local AWS. It forwards `limit` bytes of each connection's answers, and holds back the rest
/// until `limit` changes.
struct Proxy {
    address: String,
    limit: watch::Sender<usize>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (limit, receiver) = watch::channel(usize::MAX);
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(connect(caller, receiver.clone()));
            }
        });
        Self { address, limit }
    }

    /// The system's bucket, behind this proxy.
    async fn objects(&self, s: &System) -> Objects {
        let aws = account::through(&self.address, &s.aws).await;
        Objects::new(objects::client(&aws), s.bucket.clone())
    }
}

async fn connect(caller: TcpStream, mut limit: watch::Receiver<usize>) {
    let aws = endpoint();
    let address = aws.strip_prefix("http://").unwrap();
    let (mut answers, mut requests) = TcpStream::connect(address).await.unwrap().into_split();
    let (mut from_caller, mut to_caller) = caller.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_caller, &mut requests).await });
    let (mut bytes, mut left) = ([0; 4096], *limit.borrow_and_update());
    while let Ok(read @ 1..) = answers.read(&mut bytes).await {
        while left == 0 || limit.has_changed().unwrap_or_default() {
            if left == 0 && limit.changed().await.is_err() {
                return;
            }
            left = *limit.borrow_and_update();
        }
        if to_caller.write_all(&bytes[..read]).await.is_err() {
            return;
        }
        left = left.saturating_sub(read);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_retried_while_s3_stalls_and_succeed_afterwards() {
    let mut s = system().await;
    let proxy = Proxy::start().await;
    s.objects = proxy.objects(&s).await;
    let id = s.uploaded_with(pdf("x11-security.pdf"), |document| {
        document.announced.schema = Some(schema("receipt@1"));
    });
    let id = id.await;
    // S3 sends nothing, or stops in the middle of a file or of a text.
    for (stage, limit) in [(Stage::Validate, 0), (Stage::Scan, 20_000), (Stage::Structure, 2_000)] {
        while s.document(id).await.stage != stage {
            s.deliver(s.document(id).await.stage, id, 1).await.unwrap();
        }
        proxy.limit.send_replace(limit);
        let stalled = s.deliver(stage, id, 1).await;
        assert!(matches!(stalled, Err(batch::Failure::Retry { .. })), "{stage}: {stalled:?}");
        let document = s.document(id).await;
        assert_eq!((document.stage, document.lease_until), (stage, None));
        assert_eq!(s.versions("clean/").await.is_empty(), stage <= Stage::Scan);

        proxy.limit.send_replace(usize::MAX);
        s.deliver(stage, id, 2).await.unwrap();
    }
    // The document reached the model, which is unavailable.
    assert_eq!(s.document(id).await.waiting, Some(Waiting::Model));
}
