//! Shared parts of the targets.

use cos::Limits;

/// Limits for short runs: as in the functions, but smaller.
#[must_use]
pub fn small() -> Limits {
    Limits {
        objects: 10_000,
        stream_bytes: 1 << 20,
        total_bytes: 16 << 20,
        search_bytes: 16 << 20,
        operators: 200_000,
        ..Limits::default()
    }
}
