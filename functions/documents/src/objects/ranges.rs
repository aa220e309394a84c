//! Reads a file by ranges instead of as a whole.

use std::collections::VecDeque;

use aws_sdk_s3::primitives::ByteStream;
use shared::{Error, Result};
use tokio::time::timeout;

use super::{Gone, MAX_ANSWER_TIME, Objects, unless_gone};

/// The size of one S3 request, in bytes. A small request takes about as long (20 ms), and the reader's next
/// range is usually near.
const BLOCK: u64 = 1 << 20;
/// The maximum number of cached blocks.
const BLOCKS: usize = 8;

/// One version of an object, with a cache of the blocks fetched last.
#[derive(Debug)]
pub struct Ranges {
    objects: Objects,
    key: String,
    version: Option<String>,
    size: u64,
    blocks: VecDeque<(u64, Vec<u8>)>,
    /// The number of bytes fetched from S3.
    pub fetched: u64,
}

impl Ranges {
    pub(super) fn new(objects: Objects, key: String, version: Option<String>, size: u64) -> Self {
        Self { objects, key, version, size, blocks: VecDeque::new(), fetched: 0 }
    }

    /// The file's size in bytes: the announced size, which S3 enforced at the upload.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads `length` bytes from `offset`.
    ///
    /// # Errors
    /// The range ends after the file's end, or S3 failed.
    pub async fn read(&mut self, offset: u64, length: usize) -> Result<Result<Vec<u8>, Gone>> {
        let end = offset.saturating_add(length as u64);
        if end > self.size {
            return Err(Error::internal("the range ends after the end of the file"));
        }
        let mut bytes = Vec::with_capacity(length);
        let mut at = offset;
        while at < end {
            let start = at - at % BLOCK;
            let block = match self.block(start).await? {
                Ok(block) => block,
                Err(gone) => return Ok(Err(gone)),
            };
            let from = usize::try_from(at - start)?;
            let to = usize::try_from((end - start).min(block.len() as u64))?;
            let piece = block.get(from..to).filter(|piece| !piece.is_empty());
            let piece =
                piece.ok_or_else(|| Error::internal("the file is shorter than announced"))?;
            bytes.extend_from_slice(piece);
            at += piece.len() as u64;
        }
        Ok(Ok(bytes))
    }

    /// The block at `start`, cached or fetched.
    async fn block(&mut self, start: u64) -> Result<Result<&[u8], Gone>> {
        if let Some(index) = self.blocks.iter().position(|(at, _)| *at == start) {
            return Ok(Ok(&self.blocks[index].1));
        }
        let last = (start + BLOCK).min(self.size) - 1;
        let get = self
            .objects
            .client
            .get_object()
            .bucket(&self.objects.bucket)
            .key(&self.key)
            .set_version_id(self.version.clone())
            .range(format!("bytes={start}-{last}"));
        let wanted = usize::try_from(last + 1 - start)?;
        let fetching = async {
            let object = match unless_gone(get.send().await)? {
                Ok(object) => object,
                Err(gone) => return Ok(Err(gone)),
            };
            // A server may ignore the range and send the whole file (RFC 9110, section 14.2), as the local
            // AWS does for versions. Then the bytes before the range are skipped.
            let before = if object.content_range().is_some() { 0 } else { start };
            Ok::<_, Error>(Ok(take(object.body, usize::try_from(before)?, wanted).await?))
        };
        let bytes = match timeout(MAX_ANSWER_TIME, fetching).await?? {
            Ok(bytes) => bytes,
            Err(gone) => return Ok(Err(gone)),
        };
        if bytes.len() != wanted {
            return Err(Error::internal("S3 returned fewer bytes than requested"));
        }
        self.fetched += bytes.len() as u64;
        if self.blocks.len() == BLOCKS {
            self.blocks.pop_front();
        }
        self.blocks.push_back((start, bytes));
        Ok(Ok(self.blocks.back().map_or(&[][..], |(_, bytes)| bytes)))
    }
}

/// Reads up to `wanted` bytes of a stream, after skipping `before` bytes.
async fn take(mut stream: ByteStream, mut before: usize, wanted: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(wanted);
    while bytes.len() < wanted
        && let Some(mut piece) = stream.try_next().await?
    {
        let skipped = piece.split_to(before.min(piece.len()));
        before -= skipped.len();
        let room = wanted - bytes.len();
        bytes.extend_from_slice(&piece[..room.min(piece.len())]);
    }
    Ok(bytes)
}
