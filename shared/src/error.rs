//! The error that handlers return: a problem for the caller, or an error for the log.
//!
//! **Guarantees.** The error of a library or a store is logged with all its causes, and is never in a
//! response. The types ensure that.
//!
//! ```
//! use shared::http::StatusCode;
//! use shared::problem::Problem;
//! use shared::{Error, Result};
//!
//! fn pages(text: &str) -> Result<u32> {
//!     let pages: u32 = text.parse()?; // internal: a 500 without details, and a line in the log
//!     let empty = || Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty", "It has no pages");
//!     if pages == 0 { Err(empty().into()) } else { Ok(pages) }
//! }
//! assert!(matches!(pages("0"), Err(Error::Problem(_))));
//! assert!(matches!(pages("x"), Err(Error::Internal(_))));
//! ```

use std::error::Error as StdError;
use std::fmt::{self, Write as _};

use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// The result of a handler, a store or a port.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a handler failed.
///
/// Return a [`Problem`] for an error that the caller caused or can correct. `?` turns any other error
/// into [`Error::Internal`]: its text goes to the log and the caller gets a 500 without details.
/// [`conflict`](crate::conflict) makes [`Error::Conflict`].
/// `Error` does not implement `std::error::Error`, so that `?` cannot turn a problem into an internal error.
pub enum Error {
    /// Sent to the caller unchanged.
    Problem(Problem),
    /// Logged with its causes. The caller gets a 500 without details.
    Internal(Box<dyn StdError + Send + Sync>),
    /// A write conflicted with other writes in all attempts, and is not made. Logged with its causes. The
    /// caller gets a 503: the same request may succeed later.
    Conflict(Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// An internal error with a message.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into().into())
    }

    /// The error with all its causes, for the log.
    #[must_use]
    pub fn trail(&self) -> String {
        match self {
            Self::Problem(problem) => format!("{problem:?}"),
            Self::Internal(error) | Self::Conflict(error) => trail(error.as_ref()),
        }
    }
}

/// The trail: `main` prints it when a function cannot start.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trail())
    }
}

/// An error and its causes on one line: `dispatch failure: connector error: timed out`.
#[must_use]
pub fn trail(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Internal(error) => {
                tracing::error!(error = trail(error.as_ref()), "request failed");
                Problem::internal().into_response()
            }
            Self::Conflict(error) => {
                tracing::warn!(
                    error = trail(error.as_ref()),
                    "request conflicts with other requests"
                );
                Problem::conflict().into_response()
            }
        }
    }
}
