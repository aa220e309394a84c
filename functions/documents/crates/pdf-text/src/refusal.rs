//! Why a file is not read.

use serde::{Deserialize, Serialize};

/// Why a file, or a page and what follows it, is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no PDF header in the first 1,024 bytes.
    #[error("not a PDF")]
    NotAPdf,
    /// There is a header, but nothing usable after it, or no page.
    #[error("damaged")]
    Damaged,
    /// It is encrypted, and the empty password does not open it.
    #[error("protected by a password")]
    PasswordProtected,
    /// It is over a budget.
    #[error("over the budget of {0}")]
    Limit(Budget),
    /// The source failed. Its own error stays with the source.
    #[error("the file could not be read")]
    Source,
}

/// The budgets, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Arrays and dictionaries within one another, or nodes of the page tree.
    Nesting,
    /// Objects, or the values or bytes of one.
    Objects,
    /// Bytes of a stream, or of all, after their filters; or filters of one.
    StreamBytes,
    /// Pages.
    Pages,
    /// Bytes of text.
    TextBytes,
    /// Glyphs of a page.
    Glyphs,
    /// Operators of a page or of all pages, or operands of one.
    Operators,
    /// Forms drawn on a page, or within one another.
    Forms,
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nesting => "nesting",
            Self::Objects => "objects",
            Self::StreamBytes => "inflated bytes",
            Self::Pages => "pages",
            Self::TextBytes => "bytes of text",
            Self::Glyphs => "glyphs of a page",
            Self::Operators => "operators",
            Self::Forms => "forms of a page",
        })
    }
}

impl From<cos::Limit> for Budget {
    fn from(limit: cos::Limit) -> Self {
        use cos::Limit;
        match limit {
            Limit::Nesting => Self::Nesting,
            Limit::Objects | Limit::Values | Limit::ObjectBytes | Limit::Sections => Self::Objects,
            Limit::StreamBytes
            | Limit::TotalBytes
            | Limit::Filters
            | Limit::Predictor
            | Limit::SearchBytes => Self::StreamBytes,
            Limit::Operators | Limit::Operands => Self::Operators,
            Limit::Pages => Self::Pages,
        }
    }
}

impl From<cos::Error> for Refusal {
    fn from(error: cos::Error) -> Self {
        match error {
            cos::Error::Limit(limit) => Self::Limit(limit.into()),
            cos::Error::Syntax { .. } => Self::Damaged,
            cos::Error::Io(_) => Self::Source,
        }
    }
}

impl From<cos::OpenError> for Refusal {
    fn from(error: cos::OpenError) -> Self {
        match error {
            cos::OpenError::NotPdf => Self::NotAPdf,
            cos::OpenError::Damaged(_) => Self::Damaged,
            cos::OpenError::Limit(limit) => Self::Limit(limit.into()),
            cos::OpenError::Io(_) => Self::Source,
        }
    }
}

/// What can be read of a damaged part: its value, nothing where it is no PDF syntax, but a refusal
/// where a budget or the source ends.
pub(crate) fn lenient<T: Default>(result: Result<T, cos::Error>) -> Result<T, Refusal> {
    match result {
        Ok(value) => Ok(value),
        Err(cos::Error::Syntax { .. }) => Ok(T::default()),
        Err(error) => Err(error.into()),
    }
}
