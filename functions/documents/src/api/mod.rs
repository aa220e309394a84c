//! The HTTP endpoints.

pub mod create_upload;
pub mod get;
pub mod list;
mod view;

/// Lets a user see documents.
const READ: &str = "documents:read";
/// Lets a user add documents.
const WRITE: &str = "documents:write";
