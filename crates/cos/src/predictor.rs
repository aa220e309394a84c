//! Predictors of FlateDecode and LZWDecode (ISO 32000-1, 7.4.4.4).

/// Validated sizes of a predictor's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Predictor {
    png: bool,
    colors: usize,
    bits: usize,
    /// Bytes of a row, and of a pixel (at least one).
    row: usize,
    pixel: usize,
}

impl Predictor {
    /// The predictor of these parameters. `Ok(None)`: no predictor; `Err`: sizes out of range.
    pub(crate) fn new(
        kind: i64,
        colors: i64,
        bits: i64,
        columns: i64,
        limit: usize,
    ) -> Result<Option<Self>, ()> {
        let png = match kind {
            2 => false,
            10..=15 => true,
            _ => return Ok(None),
        };
        let colors =
            usize::try_from(colors).ok().filter(|colors| (1..=256).contains(colors)).ok_or(())?;
        let bits =
            usize::try_from(bits).ok().filter(|bits| [1, 2, 4, 8, 16].contains(bits)).ok_or(())?;
        let columns = usize::try_from(columns).ok().filter(|columns| *columns > 0).ok_or(())?;
        let row = columns.checked_mul(colors * bits).map(|bits| bits.div_ceil(8)).ok_or(())?;
        if row > limit {
            return Err(());
        }
        Ok(Some(Self { png, colors, bits, row, pixel: (colors * bits).div_ceil(8) }))
    }
}

pub(crate) fn undo(predictor: Predictor, data: Vec<u8>) -> Vec<u8> {
    if predictor.png { png(predictor, &data) } else { tiff(predictor, data) }
}

fn png(Predictor { row, pixel, .. }: Predictor, data: &[u8]) -> Vec<u8> {
    let mut output: Vec<u8> = Vec::with_capacity(data.len());
    let mut above = vec![0; row];
    let mut current = Vec::with_capacity(row);
    for line in data.chunks(row + 1) {
        let [kind, line @ ..] = line else { break };
        current.clear();
        current.extend_from_slice(line);
        for at in 0..current.len() {
            let left = if at >= pixel { current[at - pixel] } else { 0 };
            let corner = if at >= pixel { above[at - pixel] } else { 0 };
            let predicted = match kind {
                1 => left,
                2 => above[at],
                3 => left.midpoint(above[at]),
                4 => paeth(left, above[at], corner),
                _ => break,
            };
            current[at] = current[at].wrapping_add(predicted);
        }
        output.extend_from_slice(&current);
        above[..current.len()].copy_from_slice(&current);
    }
    output
}

fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(above) - i16::from(corner);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    if distance(left) <= distance(above) && distance(left) <= distance(corner) {
        left
    } else if distance(above) <= distance(corner) {
        above
    } else {
        corner
    }
}

fn tiff(Predictor { row, pixel, colors, bits, .. }: Predictor, mut data: Vec<u8>) -> Vec<u8> {
    for line in data.chunks_mut(row) {
        match bits {
            8 => {
                for at in pixel..line.len() {
                    line[at] = line[at].wrapping_add(line[at - pixel]);
                }
            }
            16 => {
                for at in (pixel..line.len().saturating_sub(1)).step_by(2) {
                    let left = u16::from_be_bytes([line[at - pixel], line[at - pixel + 1]]);
                    let value = u16::from_be_bytes([line[at], line[at + 1]]).wrapping_add(left);
                    line[at..at + 2].copy_from_slice(&value.to_be_bytes());
                }
            }
            _ => tiff_bits(line, colors, bits),
        }
    }
    data
}

/// A row of samples smaller than one byte.
fn tiff_bits(line: &mut [u8], colors: usize, bits: usize) {
    let mask = (1_u8 << bits) - 1;
    let per_byte = 8 / bits;
    let mut left = vec![0_u8; colors];
    for sample in 0..line.len() * per_byte {
        let shift = 8 - bits * (sample % per_byte + 1);
        let byte = &mut line[sample / per_byte];
        let before = &mut left[sample % colors];
        let value = (*byte >> shift & mask).wrapping_add(*before) & mask;
        *byte = *byte & !(mask << shift) | value << shift;
        *before = value;
    }
}
