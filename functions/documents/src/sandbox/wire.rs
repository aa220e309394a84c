//! The protocol on the pipes. The worker writes the task and then the requested bytes of the file, each after
//! a length of 4 bytes. The child writes frames: a letter, a length of 4 bytes, and that many bytes. Numbers
//! are big-endian.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The maximum size of a frame, in bytes.
pub(super) const MAX_FRAME: usize = 64 << 20;

/// A frame from a child.
pub(super) enum FromChild {
    /// A request for bytes of the file.
    Read { offset: u64, length: u32 },
    /// A part of the result, as JSON.
    Item(Vec<u8>),
    /// The result, or the rest of it, as JSON. Nothing follows.
    Answer(Vec<u8>),
}

pub(super) async fn write_to_child(
    pipe: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
) -> io::Result<()> {
    pipe.write_all(&length_of(bytes)?).await?;
    pipe.write_all(bytes).await?;
    pipe.flush().await
}

pub(super) async fn read_from_child(pipe: &mut (impl AsyncRead + Unpin)) -> io::Result<FromChild> {
    let mut head = [0; 5];
    pipe.read_exact(&mut head).await?;
    let [kind, length @ ..] = head;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // The buffer grows as bytes arrive; the length from the child is not trusted.
    let mut bytes = Vec::new();
    pipe.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match (kind, bytes.as_slice()) {
        (b'R', request) => {
            let (offset, length) = request.split_first_chunk().ok_or(io::ErrorKind::InvalidData)?;
            let length = length.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
            let offset = u64::from_be_bytes(*offset);
            Ok(FromChild::Read { offset, length: u32::from_be_bytes(length) })
        }
        (b'I', _) => Ok(FromChild::Item(bytes)),
        (b'A', _) => Ok(FromChild::Answer(bytes)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Writes a frame, in a child.
pub(super) fn write_frame(pipe: &mut impl Write, kind: u8, bytes: &[u8]) -> io::Result<()> {
    pipe.write_all(&[kind])?;
    pipe.write_all(&length_of(bytes)?)?;
    pipe.write_all(bytes)?;
    pipe.flush()
}

/// Reads the length of the worker's next message, in a child.
pub(super) fn read_length(pipe: &mut impl Read) -> io::Result<usize> {
    let mut length = [0; 4];
    pipe.read_exact(&mut length)?;
    Ok(u32::from_be_bytes(length) as usize)
}

fn length_of(bytes: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(length.to_be_bytes())
}
