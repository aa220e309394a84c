//! The limits of a file.

use crate::Policy;

/// Maximum inflation ratio, if it gives more than the default limit and the policy sets none. A
/// page of text or a scan stored in Flate stays under 1:100.
const INFLATION: u64 = 100;

/// Upper bounds on what a file may use. Exceeding one is [`Refusal::Limit`](crate::Refusal::Limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Pages found in the page tree.
    pub pages: usize,
    /// Levels of the page tree.
    pub tree_depth: usize,
    /// Entries of the cross-reference, and objects of one object stream.
    pub objects: usize,
    /// Nesting depth of arrays and dictionaries.
    pub nesting: usize,
    /// Values (numbers, names, …) of one indirect object or of one operator.
    pub values: usize,
    /// Inflated bytes of one stream, after any of its filters. Images have a limit of their own.
    pub stream_bytes: u64,
    /// Inflated bytes of one image.
    pub image_bytes: u64,
    /// Pixels of an image, as its dictionary declares: width times height.
    pub pixels: u64,
    /// Inflated bytes of all streams.
    pub total_bytes: u64,
    /// Filters of one stream.
    pub filters: usize,
    /// Nesting depth of forms, patterns, glyphs and masks that draw one another.
    pub form_depth: usize,
    /// Number of times that forms, patterns, glyphs and masks are drawn, on all pages.
    pub form_expansions: u64,
    /// Operators that run on all pages; a form counts each time it is drawn.
    pub operators: u64,
    /// Maximum size in bytes of a file that is rebuilt, or searched for objects that the
    /// cross-reference does not name.
    pub whole_bytes: u64,
    /// Total steps of work: a value, an operator, or 256 bytes read or inflated.
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
    /// The highest limit in bytes that a policy may set for all streams: one CPU core of a worker
    /// inflates this much in half a minute.
    pub const MAX_TOTAL_BYTES: u64 = 8 << 30;

    /// The limits for a file of `bytes` bytes under `policy`. The limit for all streams follows the
    /// size of the file, unless the policy sets it.
    #[must_use]
    pub fn of(bytes: u64, policy: &Policy) -> Self {
        let default = Self::default();
        let by_size = default.total_bytes.max(bytes.saturating_mul(INFLATION));
        let total_bytes = policy.max_inflated_bytes.unwrap_or(by_size).min(Self::MAX_TOTAL_BYTES);
        Self { total_bytes, ..default }
    }

    /// The limits for the `cos` crate.
    pub(crate) fn cos(&self) -> cos::Limits {
        let to_usize = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        cos::Limits {
            nesting: self.nesting,
            objects: self.objects,
            values: self.values,
            stream_bytes: to_usize(self.stream_bytes),
            // `cos` also counts the bytes that it parses.
            total_bytes: self.total_bytes.saturating_add(self.bytes),
            filters: self.filters,
            rebuild_bytes: self.whole_bytes,
            operators: to_usize(self.operators),
            pages: self.pages,
            // Every object is read once, so a small cache is enough.
            cache_bytes: 8 << 20,
            ..cos::Limits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_limit_follows_the_file_size_and_the_policy() {
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
