//! Why a file is not for reading.

use std::{fmt, io, sync::Arc};

use serde::{Deserialize, Serialize};

/// Why [`inspect`](crate::inspect) has no findings.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The file should not be read, whatever the policy.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source failed, which says nothing of the file.
    #[error("the file could not be read: {0}")]
    Io(#[source] Arc<io::Error>),
}

/// What is wrong with a file that no policy accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// No `%PDF-1.x` or `%PDF-2.x` within the first 1,024 bytes.
    #[error("there is no PDF header in the first 1,024 bytes")]
    NotAPdf,
    /// No usable trailer, catalog or page.
    #[error("it is damaged: no usable trailer, catalog or page")]
    Damaged,
    /// It is encrypted, and the empty password does not open it.
    #[error("it needs a password")]
    PasswordProtected,
    /// It is encrypted in a way that cannot be opened, password or not.
    #[error("it is encrypted in an unknown way")]
    UnsupportedEncryption,
    /// It is over a budget.
    #[error("it is over the budget of {budget}")]
    Limit {
        /// Which one.
        budget: Budget,
    },
    /// Something contains itself that must not.
    #[error("{what} contains itself")]
    Loop {
        /// What.
        what: Looped,
    },
}

/// What must not contain itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looped {
    /// A node of the page tree is its own ancestor.
    PageTree,
    /// A form, a pattern, a glyph or a mask draws itself.
    Drawing,
    /// A section of the cross-reference comes before itself.
    CrossReference,
}

/// The budgets, by name; [`Limits`](crate::Limits) and [`cos::Limits`] have their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Bytes of the file.
    Bytes,
    /// Pages.
    Pages,
    /// Levels of the page tree.
    TreeDepth,
    /// Entries of the cross-reference, or objects of an object stream.
    Objects,
    /// Arrays and dictionaries within one another.
    Nesting,
    /// Values of an object or an operator.
    Values,
    /// Bytes of an object, its stream not counted.
    ObjectBytes,
    /// Bytes of a stream, inflated or not.
    StreamBytes,
    /// Bytes of all streams, inflated.
    TotalBytes,
    /// Points of a picture.
    Pixels,
    /// Filters of a stream.
    Filters,
    /// Parameters of a predictor.
    Predictor,
    /// Sections of the cross-reference.
    Sections,
    /// Bytes searched for the ends of streams whose length is wrong.
    SearchBytes,
    /// Operators that run.
    Operators,
    /// Operands of an operator.
    Operands,
    /// Forms within one another.
    FormDepth,
    /// Forms that are drawn.
    FormExpansions,
    /// Steps of work.
    Work,
}

impl fmt::Display for Looped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PageTree => "the page tree",
            Self::Drawing => "a form, a pattern, a glyph or a mask",
            Self::CrossReference => "the cross-reference",
        })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes of the file",
            Self::Pages => "pages",
            Self::TreeDepth => "levels of the page tree",
            Self::Objects => "objects",
            Self::Nesting => "nesting",
            Self::Values => "values of an object",
            Self::ObjectBytes => "bytes of an object",
            Self::StreamBytes => "bytes of a stream",
            Self::TotalBytes => "bytes of all streams",
            Self::Pixels => "points of a picture",
            Self::Filters => "filters of a stream",
            Self::Predictor => "parameters of a predictor",
            Self::Sections => "sections of the cross-reference",
            Self::SearchBytes => "bytes searched for ends of streams",
            Self::Operators => "operators",
            Self::Operands => "operands of an operator",
            Self::FormDepth => "forms within one another",
            Self::FormExpansions => "forms drawn",
            Self::Work => "work",
        })
    }
}

impl From<cos::Limit> for Budget {
    fn from(limit: cos::Limit) -> Self {
        match limit {
            cos::Limit::Nesting => Self::Nesting,
            cos::Limit::Objects => Self::Objects,
            cos::Limit::Values => Self::Values,
            cos::Limit::ObjectBytes => Self::ObjectBytes,
            cos::Limit::StreamBytes => Self::StreamBytes,
            cos::Limit::TotalBytes => Self::TotalBytes,
            cos::Limit::Filters => Self::Filters,
            cos::Limit::Predictor => Self::Predictor,
            cos::Limit::Sections => Self::Sections,
            cos::Limit::SearchBytes => Self::SearchBytes,
            cos::Limit::Operators => Self::Operators,
            cos::Limit::Operands => Self::Operands,
            cos::Limit::Pages => Self::Pages,
        }
    }
}

impl Error {
    pub(crate) const fn over(budget: Budget) -> Self {
        Self::Refused(Refusal::Limit { budget })
    }

    pub(crate) const fn looped(what: Looped) -> Self {
        Self::Refused(Refusal::Loop { what })
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// A syntax error where there is nothing else to go by.
impl From<cos::Error> for Error {
    fn from(error: cos::Error) -> Self {
        match error {
            cos::Error::Limit(limit) => Self::over(limit.into()),
            cos::Error::Syntax { .. } => Refusal::Damaged.into(),
            cos::Error::Io(error) => Self::Io(error),
        }
    }
}

/// `None` for what cannot be read because it is no syntax; budgets and the source still fail.
pub(crate) fn readable<T>(result: Result<T, cos::Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(cos::Error::Syntax { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
