//! The error that handlers return: either the caller's business or the log's, never both.
//!
//! **Guarantees.** What a library or a store says when it fails is logged with all its causes, and
//! never in an answer; the compiler keeps the two apart.
//!
//! ```
//! use shared::http::StatusCode;
//! use shared::problem::Problem;
//! use shared::{Error, Result};
//!
//! fn pages(text: &str) -> Result<u32> {
//!     let pages: u32 = text.parse()?; // internal: a bare 500, and a line in the log
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

/// Why a handler could not do what it was asked.
///
/// Return a [`Problem`] for what the caller did or can mend. Any other error turns into
/// [`Error::Internal`] by `?`: its text goes to the log and the caller gets a bare 500.
/// [`conflict`](crate::conflict) makes [`Error::Conflict`].
/// `Error` itself is no `std::error::Error`, so that the two cannot be mixed up.
pub enum Error {
    /// Told to the caller as it is.
    Problem(Problem),
    /// Logged with its causes; the caller learns only that something went wrong.
    Internal(Box<dyn StdError + Send + Sync>),
    /// Other requests were in the way of a write for too long, and it is not made. Logged with its causes; the
    /// caller learns that the same request may go well a moment later.
    Conflict(Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// An internal error in words.
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

/// The trail, so that a function that cannot start says why.
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
                tracing::warn!(error = trail(error.as_ref()), "request conflicts with others");
                Problem::conflict().into_response()
            }
        }
    }
}
