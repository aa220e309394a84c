//! The HTTP endpoints.

pub mod cancel;
pub mod complete_upload;
pub mod create_upload;
pub mod delete;
pub mod get;
pub mod get_settings;
pub mod list;
pub mod list_deliveries;
pub mod put_schema;
pub mod put_settings;
pub mod resend_delivery;
pub mod rotate_secret;
pub mod upload_parts;
mod view;

use shared::scopes::{DOCUMENTS_READ as READ, DOCUMENTS_WRITE as WRITE};

pub use view::View;
