//! Filters (ISO 32000-1, 7.4) without the image codecs, each within the limit of one stream.

use flate2::{Decompress, FlushDecompress, Status};

use crate::{
    error::{Error, Limit},
    lexer::{hex_digit, is_white_space},
    predictor::{self, Predictor},
};

/// Filters that are not decoded, because their output is an image, or they need a key, or they are
/// unknown. Their data is returned unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// `DCTDecode`.
    Dct,
    /// `JPXDecode`.
    Jpx,
    /// `CCITTFaxDecode`.
    CcittFax,
    /// `JBIG2Decode`.
    Jbig2,
    /// `Crypt` with a filter other than `Identity`, or a filter with an unknown name.
    Unknown,
}

/// Data after the filters.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The data after all filters, or before `codec`.
    pub data: Vec<u8>,
    /// The filter at which decoding stopped, if it did.
    pub codec: Option<Codec>,
    /// Whether a filter's data was damaged; `data` is then the part before the damage.
    pub damaged: bool,
}

/// A filter with its parameters.
pub(crate) enum Filter {
    Flate(Option<Predictor>),
    Lzw { early_change: bool, predictor: Option<Predictor> },
    AsciiHex,
    Ascii85,
    RunLength,
    Identity,
    Stop(Codec),
}

/// Applies `filters` to `data`. Calls `spend` with the number of bytes of each step; its error
/// stops decoding.
pub(crate) fn decode(
    mut data: Vec<u8>,
    filters: &[Filter],
    limit: usize,
    mut spend: impl FnMut(usize) -> Result<(), Error>,
) -> Result<Decoded, Error> {
    let mut damaged = false;
    for filter in filters {
        let (next, whole) = match filter {
            Filter::Stop(codec) => return Ok(Decoded { data, codec: Some(*codec), damaged }),
            Filter::Identity => continue,
            Filter::Flate(_) => flate(&data, limit)?,
            Filter::Lzw { early_change, .. } => lzw(&data, *early_change, limit)?,
            Filter::AsciiHex => ascii_hex(&data),
            Filter::Ascii85 => ascii_85(&data, limit)?,
            Filter::RunLength => run_length(&data, limit)?,
        };
        spend(next.len())?;
        damaged |= !whole;
        data = match filter {
            Filter::Flate(Some(predictor)) | Filter::Lzw { predictor: Some(predictor), .. } => {
                predictor::undo(*predictor, next)
            }
            _ => next,
        };
    }
    Ok(Decoded { data, codec: None, damaged })
}

/// Decodes zlib, or deflate without the zlib header. For damaged data, returns the part before the
/// damage and `false`.
fn flate(data: &[u8], limit: usize) -> Result<(Vec<u8>, bool), Error> {
    let (decoded, whole) = inflate(data, true, limit)?;
    if decoded.is_empty() && !whole {
        let raw = inflate(data, false, limit)?;
        if !raw.0.is_empty() {
            return Ok((raw.0, false));
        }
    }
    Ok((decoded, whole))
}

fn inflate(data: &[u8], zlib: bool, limit: usize) -> Result<(Vec<u8>, bool), Error> {
    let mut inflater = Decompress::new(zlib);
    let mut output =
        Vec::with_capacity(data.len().saturating_mul(3).clamp(1 << 10, 1 << 20).min(limit));
    loop {
        let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
        let rest = data.get(crate::source::to_usize(before_in)..).unwrap_or_default();
        let status = inflater.decompress_vec(rest, &mut output, FlushDecompress::None);
        match status {
            Ok(Status::StreamEnd) => return Ok((output, true)),
            Err(_) => return Ok((output, false)),
            Ok(_) if output.len() == output.capacity() => {
                if output.len() >= limit {
                    return Err(Error::Limit(Limit::StreamBytes));
                }
                output.reserve_exact(output.len().max(1 << 10).min(limit - output.len()));
            }
            Ok(_) if before_in == inflater.total_in() && before_out == inflater.total_out() => {
                return Ok((output, false));
            }
            Ok(_) => {}
        }
    }
}

fn lzw(data: &[u8], early_change: bool, limit: usize) -> Result<(Vec<u8>, bool), Error> {
    let mut decoder = if early_change {
        weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
    } else {
        weezl::decode::Decoder::new(weezl::BitOrder::Msb, 8)
    };
    let mut output = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let mut rest = data;
    loop {
        let step = decoder.decode_bytes(rest, &mut buffer);
        output.extend_from_slice(&buffer[..step.consumed_out]);
        rest = &rest[step.consumed_in..];
        if output.len() > limit {
            return Err(Error::Limit(Limit::StreamBytes));
        }
        match step.status {
            Ok(weezl::LzwStatus::Ok) if step.consumed_in > 0 || step.consumed_out > 0 => {}
            Ok(weezl::LzwStatus::Done) => return Ok((output, true)),
            // Many writers leave out the end-of-data code.
            Ok(_) => return Ok((output, rest.is_empty())),
            Err(_) => return Ok((output, false)),
        }
    }
}

fn ascii_hex(data: &[u8]) -> (Vec<u8>, bool) {
    let mut output = Vec::with_capacity(data.len() / 2);
    let (mut high, mut whole) = (None, true);
    for byte in data.iter().take_while(|byte| **byte != b'>') {
        match (hex_digit(*byte), high) {
            (Some(digit), None) => high = Some(digit << 4),
            (Some(digit), Some(first)) => {
                output.push(first | digit);
                high = None;
            }
            (None, _) => whole &= is_white_space(*byte),
        }
    }
    output.extend(high);
    (output, whole)
}

fn ascii_85(data: &[u8], limit: usize) -> Result<(Vec<u8>, bool), Error> {
    let data = data.strip_prefix(b"<~").unwrap_or(data);
    let mut output = Vec::with_capacity(data.len().min(limit) / 5 * 4);
    let (mut group, mut count, mut whole) = (0_u32, 0_u8, true);
    for byte in data.iter().take_while(|byte| **byte != b'~') {
        if output.len() > limit {
            return Err(Error::Limit(Limit::StreamBytes));
        }
        match byte {
            b'z' if count == 0 => output.extend([0; 4]),
            b'!'..=b'u' => {
                group = group.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                count += 1;
                if count == 5 {
                    output.extend(group.to_be_bytes());
                    (group, count) = (0, 0);
                }
            }
            other => whole &= is_white_space(*other),
        }
    }
    if count > 1 {
        for _ in count..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        output.extend(&group.to_be_bytes()[..usize::from(count) - 1]);
    }
    Ok((output, whole))
}

fn run_length(data: &[u8], limit: usize) -> Result<(Vec<u8>, bool), Error> {
    let mut output = Vec::new();
    let mut rest = data;
    while let [length, tail @ ..] = rest {
        if output.len() > limit {
            return Err(Error::Limit(Limit::StreamBytes));
        }
        match (length, tail) {
            (128, _) => return Ok((output, true)),
            (0..=127, _) => {
                let count = usize::from(*length) + 1;
                let literal = tail.get(..count).unwrap_or(tail);
                output.extend_from_slice(literal);
                rest = &tail[literal.len()..];
            }
            (129.., [byte, tail @ ..]) => {
                output.resize(output.len() + 257 - usize::from(*length), *byte);
                rest = tail;
            }
            (129.., []) => return Ok((output, false)),
        }
    }
    Ok((output, true))
}
