//! Compresses data that is too long for memory.

use std::io::Write;

use flate2::{Compress, Compression, FlushCompress, Status, write::ZlibEncoder};

/// `data` as a zlib stream.
pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(data);
    encoder.finish().unwrap_or_default()
}

/// The zlib stream of `start`, then `unit`, `times` times, then `end`.
///
/// A full flush ends a block at a byte boundary and clears the history. So the blocks of the unit
/// can be repeated unchanged, and are compressed only once.
pub(crate) fn bomb(start: &[u8], unit: &[u8], times: usize, end: &[u8]) -> Vec<u8> {
    let start_blocks = blocks(start);
    let unit_blocks = blocks(unit);
    let mut sum = Adler::of(start);
    let unit_sum = Adler::of(unit);
    let mut out = vec![0x78, 0xda];
    out.extend_from_slice(&start_blocks);
    for _ in 0..times {
        out.extend_from_slice(&unit_blocks);
        sum = sum.then(unit_sum, unit.len());
    }
    out.extend_from_slice(&blocks(end));
    sum = sum.then(Adler::of(end), end.len());
    // An empty last block.
    out.extend_from_slice(&[0x03, 0x00]);
    out.extend_from_slice(&(sum.high << 16 | sum.low).to_be_bytes());
    out
}

/// A mebibyte of one byte value, the unit of most bombs.
pub(crate) fn mebibyte(byte: u8) -> Vec<u8> {
    vec![byte; 1 << 20]
}

/// Deflated blocks that end at a byte boundary and refer to nothing before them.
fn blocks(data: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(4096);
    loop {
        out.reserve(4096);
        let from = usize::try_from(compress.total_in()).unwrap_or(data.len());
        let before = compress.total_out();
        let status = compress.compress_vec(&data[from..], &mut out, FlushCompress::Full);
        let stuck = compress.total_out() == before || out.len() < out.capacity();
        let all_in = compress.total_in() == data.len() as u64;
        if matches!(status, Err(_) | Ok(Status::StreamEnd)) || (all_in && stuck) {
            return out;
        }
    }
}

/// The checksum of a zlib stream (RFC 1950, section 8.2).
#[derive(Clone, Copy)]
struct Adler {
    low: u32,
    high: u32,
}

const MODULUS: u32 = 65_521;

impl Adler {
    fn of(data: &[u8]) -> Self {
        let mut sum = Self { low: 1, high: 0 };
        for byte in data {
            sum.low = (sum.low + u32::from(*byte)) % MODULUS;
            sum.high = (sum.high + sum.low) % MODULUS;
        }
        sum
    }

    /// The sum of the data of `self` followed by the data of `next`, which is `length` bytes.
    fn then(self, next: Self, length: usize) -> Self {
        let length = u64::try_from(length).unwrap_or_default() % u64::from(MODULUS);
        let shift = u64::from(self.low + MODULUS - 1) * length % u64::from(MODULUS);
        let shift = u32::try_from(shift).unwrap_or_default();
        Self {
            low: (self.low + next.low + MODULUS - 1) % MODULUS,
            high: (self.high + next.high + shift) % MODULUS,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    #[test]
    fn a_bomb_inflates_to_the_expected_bytes() {
        let unit: Vec<u8> = (0..100_000_u32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        let bytes = super::bomb(b"start", &unit, 5, b"end");
        let mut inflated = Vec::new();
        ZlibDecoder::new(&bytes[..]).read_to_end(&mut inflated).unwrap();
        let mut expected = b"start".to_vec();
        (0..5).for_each(|_| expected.extend_from_slice(&unit));
        expected.extend_from_slice(b"end");
        assert!(inflated == expected);
    }
}
