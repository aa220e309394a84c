//! The limits of a file.

/// Upper bounds on what a file may use. Exceeding one is [`Error::Limit`](crate::Error::Limit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Nesting depth of arrays and dictionaries. Each level is a stack frame.
    pub nesting: usize,
    /// Entries of the cross-reference, and entries of one object stream.
    pub objects: usize,
    /// Values (numbers, names, …) within one indirect object.
    pub values: usize,
    /// Bytes of one indirect object, its stream not counted.
    pub object_bytes: usize,
    /// Bytes of one stream, before its filters and after each of them.
    pub stream_bytes: usize,
    /// Bytes that all calls together decode and parse.
    pub total_bytes: u64,
    /// Filters of one stream.
    pub filters: usize,
    /// Cross-reference sections (`/Prev`, `/XRefStm`).
    pub sections: usize,
    /// Total bytes to search for the `endstream` of streams whose `/Length` is wrong.
    pub search_bytes: u64,
    /// Size in bytes up to which a file without a usable cross-reference is scanned for objects.
    pub rebuild_bytes: u64,
    /// Operators of one content stream.
    pub operators: usize,
    /// Operands of one operator.
    pub operands: usize,
    /// Pages.
    pub pages: usize,
    /// Approximate bytes of parsed objects in the cache, and bytes of decoded object streams in the
    /// cache.
    pub cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nesting: 100,
            objects: 1_000_000,
            values: 1_000_000,
            object_bytes: 16 << 20,
            stream_bytes: 64 << 20,
            total_bytes: 1 << 30,
            filters: 8,
            sections: 1_024,
            search_bytes: 256 << 20,
            rebuild_bytes: 32 << 20,
            operators: 20_000_000,
            operands: 4_096,
            pages: 100_000,
            cache_bytes: 64 << 20,
        }
    }
}
