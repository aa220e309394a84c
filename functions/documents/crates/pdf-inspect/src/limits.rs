//! What a file may cost.

use crate::Policy;

/// How many times its own size a file may inflate to where that is more than the default budget, and
/// the policy says nothing. A page of text or a scan stored in Flate stays under 1:100.
const INFLATION: u64 = 100;

/// Upper bounds on what a file may ask for. Going over one is
/// [`Refusal::Limit`](crate::Refusal::Limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Pages in the real tree.
    pub pages: usize,
    /// Levels of the page tree.
    pub tree_depth: usize,
    /// Entries of the cross-reference, and objects of one object stream.
    pub objects: usize,
    /// Arrays and dictionaries within one another.
    pub nesting: usize,
    /// Values (numbers, names, …) of one indirect object or of one operator.
    pub values: usize,
    /// Bytes that one stream may inflate to, in any of its filters; a picture has its own.
    pub stream_bytes: u64,
    /// Bytes that one picture may inflate to.
    pub image_bytes: u64,
    /// Points that a picture's dictionary may claim: width times height.
    pub pixels: u64,
    /// Bytes that all streams together may inflate to.
    pub total_bytes: u64,
    /// Filters of one stream.
    pub filters: usize,
    /// Forms, patterns, glyphs and masks that draw one another, one in the other.
    pub form_depth: usize,
    /// How often forms, patterns, glyphs and masks are drawn, on all pages.
    pub form_expansions: u64,
    /// Operators that run on all pages: those of a form as often as it is drawn.
    pub operators: u64,
    /// Bytes up to which a file is read whole: to look for objects that the cross-reference does
    /// not name, and to rebuild it.
    pub whole_bytes: u64,
    /// Steps of work in all: a value, an operator, or 256 bytes that are read or inflated.
    pub work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 512 << 20,
            pages: 5_000,
            tree_depth: 50,
            objects: 500_000,
            nesting: 100,
            values: 1_000_000,
            stream_bytes: 64 << 20,
            image_bytes: 256 << 20,
            pixels: 1 << 30,
            total_bytes: 1 << 30,
            filters: 8,
            form_depth: 64,
            form_expansions: 200_000,
            operators: 20_000_000,
            whole_bytes: 32 << 20,
            work: 100_000_000,
        }
    }
}

impl Limits {
    /// The most that a policy may set as the budget of all streams, in bytes: what a core of a
    /// worker inflates within half a minute.
    pub const MAX_TOTAL_BYTES: u64 = 8 << 30;

    /// The budgets of a file of `bytes` under `policy`. What all streams inflate to follows the size
    /// of the file, unless the policy sets it.
    #[must_use]
    pub fn of(bytes: u64, policy: &Policy) -> Self {
        let default = Self::default();
        let by_size = default.total_bytes.max(bytes.saturating_mul(INFLATION));
        let total_bytes = policy.max_inflated_bytes.unwrap_or(by_size).min(Self::MAX_TOTAL_BYTES);
        Self { total_bytes, ..default }
    }

    /// The budgets of the object layer.
    pub(crate) fn cos(&self) -> cos::Limits {
        let to_usize = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        cos::Limits {
            nesting: self.nesting,
            objects: self.objects,
            values: self.values,
            stream_bytes: to_usize(self.stream_bytes),
            // It counts the bytes of what it parses too.
            total_bytes: self.total_bytes.saturating_add(self.bytes),
            filters: self.filters,
            rebuild_bytes: self.whole_bytes,
            operators: to_usize(self.operators),
            pages: self.pages,
            // Every object is seen once, so there is little to keep.
            cache_bytes: 8 << 20,
            ..cos::Limits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_of_all_streams_follows_the_files_size_and_the_policy() {
        let total = |bytes, max_inflated_bytes| {
            let policy = Policy { max_inflated_bytes, ..Policy::default() };
            Limits::of(bytes, &policy).total_bytes
        };
        assert_eq!(total(0, None), 1 << 30);
        assert_eq!(total(1 << 20, None), 1 << 30);
        assert_eq!(total(20 << 20, None), 2_000 << 20);
        assert_eq!(total(512 << 20, None), Limits::MAX_TOTAL_BYTES);
        assert_eq!(total(512 << 20, Some(1 << 20)), 1 << 20);
        assert_eq!(total(0, Some(3 << 30)), 3 << 30);
        assert_eq!(total(0, Some(u64::MAX)), Limits::MAX_TOTAL_BYTES);
    }
}
