//! The HTTP endpoints.

pub mod get_stock;
pub mod list_movements;
pub mod move_stock;

/// Lets a user see stock and move it.
const ADMIN: &str = "admin";

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
