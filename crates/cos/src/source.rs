//! Input bytes, and a cache of the blocks read last.

use std::{cell::RefCell, collections::VecDeque, io, ops::Range, sync::Arc};

/// A file with random access.
pub trait Source {
    /// Length of the file in bytes.
    fn len(&self) -> u64;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` with the bytes from `offset`. A file that is too short is an error.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
}

impl Source for [u8] {
    fn len(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(buf.len())?))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(bytes);
        Ok(())
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        Source::len(self.as_slice())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, buf)
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, buf)
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, buf)
    }
}

/// Length of a block in bytes.
const BLOCK: u64 = 64 << 10;
/// Number of blocks in the cache.
const BLOCKS: usize = 64;

/// A source with a cache of the last [`BLOCKS`] blocks.
pub(crate) struct Input<S> {
    source: S,
    len: u64,
    blocks: RefCell<VecDeque<(u64, Arc<[u8]>)>>,
}

/// Bytes from an offset of the file: at least the requested length, or all until the end of the
/// file.
pub(crate) struct Window {
    block: Arc<[u8]>,
    range: Range<usize>,
    /// Whether the window ends at the end of the file.
    pub(crate) last: bool,
}

impl Window {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.block.get(self.range.clone()).unwrap_or_default()
    }
}

impl<S: Source> Input<S> {
    pub(crate) fn new(source: S) -> Self {
        let len = source.len();
        Self { source, len, blocks: RefCell::default() }
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// The bytes of `range`, cut at the end of the file.
    pub(crate) fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        let mut bytes = vec![0; to_usize(end - start)];
        if end - start > BLOCK {
            self.source.read_at(start, &mut bytes)?;
            return Ok(bytes);
        }
        let mut filled = 0;
        while filled < bytes.len() {
            let at = start + filled as u64;
            let block = self.block(at / BLOCK)?;
            let from = block.get(to_usize(at % BLOCK)..).unwrap_or_default();
            let rest = &mut bytes[filled..];
            let count = from.len().min(rest.len());
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            rest[..count].copy_from_slice(&from[..count]);
            filled += count;
        }
        Ok(bytes)
    }

    /// At least `least` bytes from `offset`, if the file has them.
    pub(crate) fn window(&self, offset: u64, least: usize) -> io::Result<Window> {
        if offset >= self.len {
            return Ok(Window { block: Arc::from([]), range: 0..0, last: true });
        }
        let number = offset / BLOCK;
        let block = self.block(number)?;
        let start = to_usize(offset % BLOCK);
        let at_end = number * BLOCK + block.len() as u64 == self.len;
        if at_end || block.len() - start.min(block.len()) >= least {
            let range = start..block.len();
            return Ok(Window { block, range, last: at_end });
        }
        let bytes = self.read(offset..offset.saturating_add(least as u64))?;
        let range = 0..bytes.len();
        let at_end = offset + bytes.len() as u64 == self.len;
        Ok(Window { block: bytes.into(), range, last: at_end })
    }

    fn block(&self, number: u64) -> io::Result<Arc<[u8]>> {
        let mut blocks = self.blocks.borrow_mut();
        if let Some(at) = blocks.iter().position(|(kept, _)| *kept == number) {
            if at > 0
                && let Some(found) = blocks.remove(at)
            {
                blocks.push_front(found);
            }
            if let Some((_, block)) = blocks.front() {
                return Ok(block.clone());
            }
        }
        let start = number * BLOCK;
        let mut bytes = vec![0; to_usize(BLOCK.min(self.len.saturating_sub(start)))];
        self.source.read_at(start, &mut bytes)?;
        let block: Arc<[u8]> = bytes.into();
        blocks.truncate(BLOCKS - 1);
        blocks.push_front((number, block.clone()));
        Ok(block)
    }
}

/// `value`, or `usize::MAX` if it does not fit.
pub(crate) fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
