//! What goes over the pipes. The worker writes the task and then what was asked for, each behind its
//! length. The child writes frames: a letter, a length, and so many bytes.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest frame, in bytes.
pub(super) const MAX_FRAME: usize = 64 << 20;

/// What a child says.
pub(super) enum FromChild {
    /// It needs these bytes of the file.
    Read { offset: u64, length: u32 },
    /// A part of what it finds, as JSON.
    Item(Vec<u8>),
    /// All of it, or the rest; nothing follows.
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
    // It grows as bytes come, and not by what the child says of them.
    let mut bytes = Vec::new();
    pipe.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match (kind, bytes.as_slice()) {
        (b'R', question) => {
            let (offset, length) =
                question.split_first_chunk().ok_or(io::ErrorKind::InvalidData)?;
            let length = length.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
            let offset = u64::from_be_bytes(*offset);
            Ok(FromChild::Read { offset, length: u32::from_be_bytes(length) })
        }
        (b'I', _) => Ok(FromChild::Item(bytes)),
        (b'A', _) => Ok(FromChild::Answer(bytes)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Writes a frame, from within a child.
pub(super) fn say(pipe: &mut impl Write, kind: u8, bytes: &[u8]) -> io::Result<()> {
    pipe.write_all(&[kind])?;
    pipe.write_all(&length_of(bytes)?)?;
    pipe.write_all(bytes)?;
    pipe.flush()
}

/// Reads the length of what the worker writes.
pub(super) fn heard_length(pipe: &mut impl Read) -> io::Result<usize> {
    let mut length = [0; 4];
    pipe.read_exact(&mut length)?;
    Ok(u32::from_be_bytes(length) as usize)
}

fn length_of(bytes: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(length.to_be_bytes())
}
