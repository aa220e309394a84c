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

use shared::scopes::{DOCUMENTS_READ as READ, DOCUMENTS_WRITE as WRITE};
