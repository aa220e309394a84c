//! S3 that is slow, or stops in the middle of a file: the job is put back, and done when S3 is back.

use documents::objects::{self, Objects};
use documents::stage::{Stage, Waiting};
use shared::batch::Failure as Trouble;
use testing::{account, endpoint, pdf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{System, schema, system};

/// A line to the local AWS that passes on so many bytes more of each connection's answers, and holds
/// back the rest until it is told another number.
struct Line {
    address: String,
    passes: watch::Sender<usize>,
}

impl Line {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (passes, told) = watch::channel(usize::MAX);
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(connect(caller, told.clone()));
            }
        });
        Self { address, passes }
    }

    /// The system's bucket, at the end of this line.
    async fn objects(&self, s: &System) -> Objects {
        let aws = account::through(&self.address, &s.aws).await;
        Objects::new(objects::client(&aws), s.bucket.clone())
    }
}

async fn connect(caller: TcpStream, mut passes: watch::Receiver<usize>) {
    let aws = endpoint();
    let address = aws.strip_prefix("http://").unwrap();
    let (mut answers, mut requests) = TcpStream::connect(address).await.unwrap().into_split();
    let (mut asked, mut answered) = caller.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut asked, &mut requests).await });
    let (mut bytes, mut left) = ([0; 4096], *passes.borrow_and_update());
    while let Ok(read @ 1..) = answers.read(&mut bytes).await {
        while left == 0 || passes.has_changed().unwrap_or_default() {
            if left == 0 && passes.changed().await.is_err() {
                return;
            }
            left = *passes.borrow_and_update();
        }
        if answered.write_all(&bytes[..read]).await.is_err() {
            return;
        }
        left = left.saturating_sub(read);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_s3_stalls_jobs_are_put_back_and_done_when_it_is_back() {
    let mut s = system().await;
    let line = Line::open().await;
    s.objects = line.objects(&s).await;
    let id = s.uploaded_with(pdf("x11-security.pdf"), |document| {
        document.announced.schema = Some(schema("receipt@1"));
    });
    let id = id.await;
    // No answer at all, and those that stop in the middle of a file or of a text.
    for (stage, passes) in [(Stage::Validate, 0), (Stage::Scan, 20_000), (Stage::Structure, 2_000)]
    {
        while s.document(id).await.stage != stage {
            s.deliver(s.document(id).await.stage, id, 1).await.unwrap();
        }
        line.passes.send_replace(passes);
        let stalled = s.deliver(stage, id, 1).await;
        assert!(matches!(stalled, Err(Trouble::Retry { .. })), "{stage}: {stalled:?}");
        let document = s.document(id).await;
        assert_eq!((document.stage, document.lease_until), (stage, None));
        assert_eq!(s.versions("clean/").await.is_empty(), stage <= Stage::Scan);

        line.passes.send_replace(usize::MAX);
        s.deliver(stage, id, 2).await.unwrap();
    }
    // It got as far as asking the model, which is not there.
    assert_eq!(s.document(id).await.waiting, Some(Waiting::Model));
}
