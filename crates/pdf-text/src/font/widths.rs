//! Advances of the glyphs of composite fonts.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use cos::{Dict, File, Object, Source};

use super::{number, numbers};
use crate::refusal::{Refusal, lenient};

/// The highest CID (ISO 32000-1, annex C).
pub(super) const MAX_CID: u32 = 65_535;

/// Advances by CID, in font sizes (ISO 32000-1, 9.7.4.3).
pub(super) struct Widths {
    default: f64,
    by_cid: HashMap<u32, f32>,
}

impl Widths {
    /// The advances of horizontal writing: to the right.
    pub(super) fn horizontal<S: Source>(
        file: &File<S>,
        descendant: &Dict,
    ) -> Result<Self, Refusal> {
        let default = number(file, descendant, "DW")?.unwrap_or(1000.0);
        Self::read(file, descendant, default, "W", 1)
    }

    /// The advances of vertical writing: up, so that they are negative. The other two numbers for
    /// each CID, the position of the glyph, are ignored: the glyph is below the pen, and centred on
    /// it.
    pub(super) fn vertical<S: Source>(file: &File<S>, descendant: &Dict) -> Result<Self, Refusal> {
        let default = numbers(file, descendant, "DW2")?.get(1).copied().unwrap_or(-1000.0);
        Self::read(file, descendant, default, "W2", 3)
    }

    fn read<S: Source>(
        file: &File<S>,
        descendant: &Dict,
        default: f64,
        key: &str,
        count: usize,
    ) -> Result<Self, Refusal> {
        let mut by_cid = HashMap::new();
        per_cid(file, descendant, key, count, |cids, numbers| {
            #[expect(clippy::cast_possible_truncation, reason = "a width needs no more digits")]
            let width = (numbers[0] / 1000.0) as f32;
            by_cid.extend(cids.map(|cid| (cid, width)));
        })?;
        Ok(Self { default: default / 1000.0, by_cid })
    }

    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.by_cid.len() * 16
    }

    pub(super) fn of(&self, cid: u32) -> f64 {
        self.by_cid.get(&cid).map_or(self.default, |&width| f64::from(width))
    }
}

/// Reads an array of metrics: `c [n n …]` has `count` numbers for each CID from `c`; `first last n`
/// has the same `count` numbers for all CIDs in the range.
fn per_cid<S: Source>(
    file: &File<S>,
    dict: &Dict,
    key: &str,
    count: usize,
    mut each: impl FnMut(RangeInclusive<u32>, &[f64]),
) -> Result<(), Refusal> {
    let Object::Array(array) = lenient(file.get(dict, key))? else { return Ok(()) };
    let mut flat = Vec::new();
    // Limits the work for overlapping ranges, which write the same CIDs repeatedly.
    let mut budget = 4 * (u64::from(MAX_CID) + 1);
    for item in &array {
        match lenient(file.resolve(item))? {
            Object::Array(list) => {
                let [.., first] = flat[..] else { continue };
                let numbers: Vec<f64> = list
                    .iter()
                    .map(|item| Ok(lenient(file.resolve(item))?.as_f64().unwrap_or(0.0)))
                    .collect::<Result<_, Refusal>>()?;
                for (cid, numbers) in (cid(first)..=MAX_CID).zip(numbers.chunks_exact(count)) {
                    each(cid..=cid, numbers);
                }
                flat.clear();
            }
            other => flat.extend(other.as_f64().filter(|number| number.is_finite())),
        }
        if flat.len() == 2 + count {
            let (first, last) = (cid(flat[0]), cid(flat[1]));
            budget = budget.saturating_sub(u64::from(last.saturating_sub(first)));
            if budget > 0 {
                each(first..=last, &flat[2..]);
            }
            flat.clear();
        }
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn cid(number: f64) -> u32 {
    (number.max(0.0) as u32).min(MAX_CID)
}
