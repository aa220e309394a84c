//! The reasons why a file is refused.

use serde::{Deserialize, Serialize};

/// The reason why a file, or a page and all after it, cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no PDF header in the first 1,024 bytes.
    #[error("not a PDF")]
    NotAPdf,
    /// There is a header, but no usable contents, or no page.
    #[error("damaged")]
    Damaged,
    /// It is encrypted, and the empty password does not open it.
    #[error("protected by a password")]
    PasswordProtected,
    /// A limit is exceeded.
    #[error("over the budget of {0}")]
    Limit(Budget),
    /// The source failed. The source keeps its own error.
    #[error("the file could not be read")]
    Source,
}

/// The names of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Nesting depth of arrays and dictionaries, or nodes of the page tree.
    Nesting,
    /// Objects, or the values or bytes of one object.
    Objects,
    /// Bytes after filters, of a stream or of all streams; or filters of one stream.
    StreamBytes,
    /// Pages.
    Pages,
    /// Bytes of text.
    TextBytes,
    /// Glyphs of a page.
    Glyphs,
    /// Operators of a page or of all pages, or operands of one operator.
    Operators,
    /// Forms drawn on a page, or their nesting depth.
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

/// The readable contents of a damaged part: a syntax error gives the default value; an exceeded
/// limit and an error of the source give a refusal.
pub(crate) fn lenient<T: Default>(result: Result<T, cos::Error>) -> Result<T, Refusal> {
    match result {
        Ok(value) => Ok(value),
        Err(cos::Error::Syntax { .. }) => Ok(T::default()),
        Err(error) => Err(error.into()),
    }
}
