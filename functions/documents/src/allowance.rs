//! What a tenant may use in a day: the budgets of this system.

use shared::budget::Budget;

/// The bytes that are announced, and those that are uploaded beside what was announced.
pub const UPLOAD_BYTES: &str = "upload-bytes";
/// The files that are scanned for malware: each that is announced, and each uploaded beside those.
pub const SCANS: &str = "scans";
/// The tokens that the language model reads and writes.
pub const MODEL_TOKENS: &str = "model-tokens";

/// What announcing documents may use.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Bytes a day.
    pub upload_bytes: u64,
    /// Scans a day.
    pub scans: u64,
}

impl Allowance {
    /// What the announcement of a file of `size` bytes uses.
    #[must_use]
    pub fn announcement(self, size: u64) -> [(Budget, u64); 2] {
        [
            (Budget { name: UPLOAD_BYTES, limit: self.upload_bytes }, size),
            (Budget { name: SCANS, limit: self.scans }, 1),
        ]
    }
}
