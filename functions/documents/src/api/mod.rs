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

/// Lets a user see documents.
const READ: &str = "documents:read";
/// Lets a user add and delete documents.
const WRITE: &str = "documents:write";

/// Gives endpoints' states what the extractors need: the time.
macro_rules! has_clock {
    ($state:ty) => {
        impl axum::extract::FromRef<$state> for shared::clock::Clock {
            fn from_ref(state: &$state) -> Self {
                state.clock.clone()
            }
        }
    };
}
use has_clock;
