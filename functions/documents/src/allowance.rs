//! The daily budgets of a tenant in this system.

use shared::budget::Budget;

/// Bytes: the announced files, and every other uploaded version.
pub const UPLOAD_BYTES: &str = "upload-bytes";
/// Malware scans: the announced files, and every other uploaded version.
pub const SCANS: &str = "scans";
/// Tokens that the language model reads and writes.
pub const MODEL_TOKENS: &str = "model-tokens";

/// The limits for announcing documents.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Bytes per day.
    pub upload_bytes: u64,
    /// Scans per day.
    pub scans: u64,
}

impl Allowance {
    /// What announcing a file of `size` bytes uses.
    #[must_use]
    pub fn announcement(self, size: u64) -> [(Budget, u64); 2] {
        [
            (Budget { name: UPLOAD_BYTES, limit: self.upload_bytes }, size),
            (Budget { name: SCANS, limit: self.scans }, 1),
        ]
    }
}
