//! A file that is read by ranges, piece by piece and not as a whole.

use std::collections::VecDeque;

use aws_sdk_s3::primitives::ByteStream;
use shared::{Error, Result};
use tokio::time::timeout;

use super::{Gone, MAX_ANSWER_TIME, Objects, unless_gone};

/// What is asked of S3 at once, in bytes: a request takes some 20 ms whatever its size, and the
/// reader asks for what stands near.
const BLOCK: u64 = 1 << 20;
/// How many blocks are kept.
const BLOCKS: usize = 8;

/// One version of an object. The blocks that were read last are kept.
#[derive(Debug)]
pub struct Ranges {
    objects: Objects,
    key: String,
    version: Option<String>,
    size: u64,
    blocks: VecDeque<(u64, Vec<u8>)>,
    /// How many bytes S3 has given.
    pub fetched: u64,
}

impl Ranges {
    pub(super) fn new(objects: Objects, key: String, version: Option<String>, size: u64) -> Self {
        Self { objects, key, version, size, blocks: VecDeque::new(), fetched: 0 }
    }

    /// The file's size in bytes, as it was announced and S3 made sure of.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes from `offset` on, `length` of them.
    pub async fn read(&mut self, offset: u64, length: usize) -> Result<Result<Vec<u8>, Gone>> {
        let end = offset.saturating_add(length as u64);
        if end > self.size {
            return Err(Error::internal("a range beyond the end of the file"));
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

    /// The block that begins at `start`.
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
            // A server may answer a range with the whole (RFC 9110, 14.2), as the local AWS does for
            // versions; then what stands before it is passed over.
            let before = if object.content_range().is_some() { 0 } else { start };
            Ok::<_, Error>(Ok(take(object.body, usize::try_from(before)?, wanted).await?))
        };
        let bytes = match timeout(MAX_ANSWER_TIME, fetching).await?? {
            Ok(bytes) => bytes,
            Err(gone) => return Ok(Err(gone)),
        };
        if bytes.len() != wanted {
            return Err(Error::internal("S3 gave less than was asked for"));
        }
        self.fetched += bytes.len() as u64;
        if self.blocks.len() == BLOCKS {
            self.blocks.pop_front();
        }
        self.blocks.push_back((start, bytes));
        Ok(Ok(self.blocks.back().map_or(&[][..], |(_, bytes)| bytes)))
    }
}

/// Up to `wanted` bytes of a stream, after the first `before`.
async fn take(mut stream: ByteStream, mut before: usize, wanted: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(wanted);
    while bytes.len() < wanted
        && let Some(mut piece) = stream.try_next().await?
    {
        let passed = piece.split_to(before.min(piece.len()));
        before -= passed.len();
        let room = wanted - bytes.len();
        bytes.extend_from_slice(&piece[..room.min(piece.len())]);
    }
    Ok(bytes)
}
