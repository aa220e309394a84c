//! The HTTP endpoints.

pub mod cancel;
pub mod complete_upload;
pub mod create_upload;
pub mod delete;
pub mod get;
pub mod get_settings;
pub mod list;
pub mod put_schema;
pub mod put_settings;
pub mod upload_parts;
mod view;

pub use view::View;

/// The scope for reading documents.
const READ: &str = "documents:read";
/// The scope for adding, changing and deleting documents.
const WRITE: &str = "documents:write";
