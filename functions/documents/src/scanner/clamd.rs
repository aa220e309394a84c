//! A client for clamd's command `INSTREAM` (`man 8 clamd`): it sends the file in pieces, each after its
//! length, and receives one answer. The existing crates are not used: they have no time-outs and do not
//! report clamd's errors as errors.

use std::io;
use std::time::Duration;

use sha2::{Digest, Sha256 as Hasher};
use shared::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{MAX_PIECE_TIME, Scanned};
use crate::document::{Document, Sha256};
use crate::objects::{Gone, Objects};

/// The maximum time to connect.
const CONNECT_TIME: Duration = Duration::from_secs(3);
/// The maximum time to send a piece.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// The maximum time until clamd answers after the whole file: clamd's own default limit for one file.
const ANSWER_TIME: Duration = Duration::from_mins(2);
/// The maximum size of an answer, in bytes.
const MAX_ANSWER: u64 = 4096;

/// A client of a clamd server.
#[derive(Clone, Debug)]
pub struct Clamd {
    /// The server's host and port.
    address: String,
}

impl Clamd {
    /// A client of the clamd server at `address`, a host and a port.
    #[must_use]
    pub fn new(address: String) -> Self {
        Self { address }
    }

    /// Streams a document's upload from S3 to clamd, and computes its SHA-256. Only one piece is in memory at
    /// a time: S3 is read as fast as clamd receives.
    pub(super) async fn scan(
        &self,
        objects: &Objects,
        document: &Document,
    ) -> Result<Result<(Scanned, Option<Sha256>), Gone>> {
        // Connect first, so that no file is fetched while clamd is unavailable.
        let mut clamd = match self.connect().await {
            Ok(clamd) => clamd,
            Err(error) => return Ok(Ok((unavailable(&error), None))),
        };
        let mut object = match objects.stream(document).await? {
            Ok(object) => object,
            Err(gone) => return Ok(Err(gone)),
        };
        let (mut hasher, mut size) = (Hasher::new(), 0);
        while let Some(piece) = timeout(MAX_PIECE_TIME, object.body.try_next()).await?? {
            hasher.update(&piece);
            size += piece.len() as u64;
            if let Err(error) = clamd.send(&piece).await {
                // clamd may have sent the reason before it closed the connection.
                let answer = clamd.answer().await;
                return Ok(Ok((answer.map_or_else(|_| unavailable(&error), |a| parse(&a)), None)));
            }
        }
        if size != document.announced.size {
            return Err(shared::Error::internal(format!(
                "the file has {size} bytes, but {} were announced",
                document.announced.size
            )));
        }
        let scanned = match clamd.finish().await {
            Ok(answer) => parse(&answer),
            Err(error) => unavailable(&error),
        };
        Ok(Ok((scanned, Some(Sha256::from(<[u8; 32]>::from(hasher.finalize()))))))
    }

    async fn connect(&self) -> io::Result<Connection> {
        let stream = timeout(CONNECT_TIME, TcpStream::connect(&self.address)).await??;
        let mut connection = Connection(stream);
        connection.write(b"zINSTREAM\0").await?;
        Ok(connection)
    }
}

struct Connection(TcpStream);

impl Connection {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(WRITE_TIME, self.0.write_all(bytes)).await?
    }

    async fn send(&mut self, piece: &[u8]) -> io::Result<()> {
        if piece.is_empty() {
            // An empty piece ends the stream.
            return Ok(());
        }
        let length = u32::try_from(piece.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.write(&length.to_be_bytes()).await?;
        self.write(piece).await
    }

    async fn finish(&mut self) -> io::Result<String> {
        self.write(&0_u32.to_be_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> io::Result<String> {
        let mut answer = Vec::new();
        let mut limited = (&mut self.0).take(MAX_ANSWER);
        timeout(ANSWER_TIME, limited.read_to_end(&mut answer)).await??;
        // A complete answer ends with a null byte.
        match answer.strip_suffix(b"\0") {
            Some(answer) => Ok(String::from_utf8_lossy(answer).into_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn unavailable(error: &io::Error) -> Scanned {
    tracing::warn!(%error, "clamd is unavailable");
    Scanned::Unavailable
}

/// Parses `stream: OK` or `stream: <signature> FOUND`. Any other answer is an error.
fn parse(answer: &str) -> Scanned {
    if answer == "stream: OK" {
        return Scanned::Clean;
    }
    let found = answer.strip_prefix("stream: ").and_then(|rest| rest.strip_suffix(" FOUND"));
    match found {
        // Not malware: clamd is configured to report files that it cannot scan.
        Some(signature)
            if signature.starts_with("Heuristics.Encrypted.")
                || signature.starts_with("Heuristics.Limits.Exceeded") =>
        {
            Scanned::Unscannable(signature.to_owned())
        }
        // Without a signature's name, it is unknown what was found.
        Some("" | "(null)") => {
            Scanned::Unscannable("the scanner does not name what it found".into())
        }
        Some(signature) => Scanned::Infected(signature.to_owned()),
        None if answer.starts_with("INSTREAM size limit exceeded") => {
            Scanned::Unscannable("the file is too large for the scanner".into())
        }
        None => {
            tracing::error!(answer, "clamd answered with an error");
            Scanned::Unavailable
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_are_parsed() {
        assert_eq!(parse("stream: OK"), Scanned::Clean);
        let infected = Scanned::Infected("Eicar-Test-Signature".into());
        assert_eq!(parse("stream: Eicar-Test-Signature FOUND"), infected);
        for answer in [
            "stream: Heuristics.Encrypted.PDF FOUND",
            "stream: Heuristics.Limits.Exceeded.MaxScanSize FOUND",
            "INSTREAM size limit exceeded. ERROR",
            "stream: (null) FOUND",
            "stream:  FOUND",
        ] {
            assert!(matches!(parse(answer), Scanned::Unscannable(_)), "{answer}");
        }
        for answer in
            ["", "stream: Can't allocate memory ERROR", "OK", "stream: OK ", "UNKNOWN COMMAND"]
        {
            assert_eq!(parse(answer), Scanned::Unavailable, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn only_one_answer_means_clean(answer in ".*") {
            prop_assume!(answer != "stream: OK");
            prop_assert_ne!(parse(&answer), Scanned::Clean);
        }
    }
}
