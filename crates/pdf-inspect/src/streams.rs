//! Counts the inflated bytes of streams without keeping them.

use std::{
    cell::Cell,
    io::{self, BufReader, Cursor, Read},
};

use cos::{Access, Codec, Dict, File, Object, Source, Stream};
use flate2::read::{DeflateDecoder, ZlibDecoder};

use crate::{Budget, Error, meter::Meter, refusal::readable};

/// Maximum bytes per read from the file.
const CHUNK: u64 = 64 << 10;

/// How far a stream could be decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Whole,
    Damaged,
    /// The stream is an attachment that needs a password.
    Locked,
}

/// Counts the inflated bytes of a stream.
pub(crate) fn count<S: Source>(
    file: &File<S>,
    stream: &Stream,
    meter: &mut Meter,
) -> Result<State, Error> {
    let dict = stream.dict();
    if file.is_locked(stream) {
        // It cannot be inflated without the password.
        return Ok(State::Locked);
    }
    let most = most_bytes(file, dict, meter)?;
    let Some(filters) = readable(file.get(dict, "Filter"))? else { return Ok(State::Damaged) };
    let names = match &filters {
        Object::Array(names) => {
            if names.len() > meter.limits.filters {
                return Err(Error::over(Budget::Filters));
            }
            let mut resolved = Vec::new();
            for name in names {
                resolved.push(readable(file.resolve(name))?.unwrap_or_default());
            }
            resolved
        }
        Object::Null => return Ok(State::Whole),
        other => vec![other.clone()],
    };
    if let Some(layers) = flates(&names) {
        if file.access() == Access::Unlocked {
            let bytes = file.raw(stream)?;
            return count_flates(&|| Cursor::new(&bytes), layers, most, meter);
        }
        return count_flates(&|| Raw::new(file, stream), layers, most, meter);
    }
    let Some(decoded) = readable(file.decode(stream))? else { return Ok(State::Damaged) };
    meter.inflate(decoded.data.len() as u64)?;
    let unknown = decoded.codec == Some(Codec::Unknown);
    Ok(if decoded.damaged || unknown { State::Damaged } else { State::Whole })
}

/// Maximum inflated bytes of a stream with this dictionary.
fn most_bytes<S: Source>(file: &File<S>, dict: &Dict, meter: &Meter) -> Result<u64, Error> {
    if !dict.is("Subtype", "Image") {
        return Ok(meter.limits.stream_bytes);
    }
    let side = |key| {
        let value = readable(file.get(dict, key))?.and_then(|value| value.as_i64());
        Ok::<_, Error>(value.unwrap_or(0).unsigned_abs())
    };
    if side("Width")?.saturating_mul(side("Height")?) > meter.limits.pixels {
        return Err(Error::over(Budget::Pixels));
    }
    Ok(meter.limits.image_bytes)
}

/// The number of Flate filters, if the stream has no other filter, except an image codec at the
/// end.
pub(crate) fn flates(names: &[Object]) -> Option<usize> {
    let is = |name: &Object, any: &[&str]| any.iter().any(|one| name.is_name(one));
    let layers = names.iter().take_while(|name| is(name, &["FlateDecode", "Fl"])).count();
    let codecs = ["DCTDecode", "DCT", "JPXDecode", "CCITTFaxDecode", "CCF", "JBIG2Decode"];
    match &names[layers..] {
        [] => Some(layers),
        [codec] if is(codec, &codecs) => Some(layers),
        _ => None,
    }
}

/// Inflates `layers` times. Each layer is limited by `most`; all count towards the total. `open`
/// returns the bytes of the stream from the start.
pub(crate) fn count_flates<R: Read>(
    open: &impl Fn() -> R,
    layers: usize,
    most: u64,
    meter: &mut Meter,
) -> Result<State, Error> {
    if layers == 0 {
        return Ok(State::Whole);
    }
    let (mut bytes, mut whole) = inflate(open, layers, most, false)?;
    if bytes == 0 && !whole {
        // Some writers omit the zlib header, and readers accept that.
        (bytes, whole) = inflate(open, layers, most, true)?;
    }
    meter.inflate(bytes)?;
    Ok(if whole { State::Whole } else { State::Damaged })
}

/// The inflated bytes of all layers together, and whether the last layer ended properly.
fn inflate<R: Read>(
    open: &impl Fn() -> R,
    layers: usize,
    most: u64,
    headless: bool,
) -> Result<(u64, bool), Error> {
    let total = Cell::new(0);
    let mut layer: Box<dyn Read + '_> = Box::new(open());
    for at in 0..layers {
        let inner = BufReader::with_capacity(32 << 10, layer);
        let decoder: Box<dyn Read + '_> = if headless && at == 0 {
            Box::new(DeflateDecoder::new(inner))
        } else {
            Box::new(ZlibDecoder::new(inner))
        };
        layer = Box::new(Counted { decoder, left: most, total: &total });
    }
    let mut buffer = vec![0; 64 << 10];
    loop {
        match layer.read(&mut buffer) {
            Ok(0) => return Ok((total.get(), true)),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return wrapped_error(error).map_or(Ok((total.get(), false)), Err);
            }
            _ => {}
        }
    }
}

/// A decoder that counts its output and limits it.
struct Counted<'a> {
    decoder: Box<dyn Read + 'a>,
    left: u64,
    total: &'a Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        let bytes = count as u64;
        self.total.set(self.total.get().saturating_add(bytes));
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or_else(|| io::Error::other(Failed(Error::over(Budget::StreamBytes))))?;
        Ok(count)
    }
}

/// The error, unless it comes from damaged data.
fn wrapped_error(error: io::Error) -> Option<Error> {
    error.into_inner()?.downcast::<Failed>().ok().map(|failed| failed.0)
}

/// An error of the source, or an exceeded limit, wrapped in an `io::Error` to pass through the
/// decoders.
#[derive(Debug)]
struct Failed(Error);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

/// The bytes of a stream before any filter.
struct Raw<'a, S> {
    file: &'a File<S>,
    at: u64,
    end: u64,
}

impl<'a, S: Source> Raw<'a, S> {
    fn new(file: &'a File<S>, stream: &Stream) -> Self {
        Self { file, at: stream.form().start, end: stream.form().end }
    }
}

impl<S: Source> Read for Raw<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (self.end.saturating_sub(self.at)).min(CHUNK).min(buffer.len() as u64);
        let bytes = self
            .file
            .bytes(self.at..self.at + count)
            .map_err(|error| io::Error::other(Failed(error.into())))?;
        let part = buffer.get_mut(..bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        part.copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}
