//! The reasons why no program should read a file.

use std::{fmt, io, sync::Arc};

use serde::{Deserialize, Serialize};

/// The reason why [`inspect`](crate::inspect) has no findings.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No program should read the file, whatever the policy.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source failed. This does not depend on the contents of the file.
    #[error("the file could not be read: {0}")]
    Io(#[source] Arc<io::Error>),
}

/// The reason why no policy accepts a file.
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
    /// The encryption method is unknown, so no password opens the file.
    #[error("it is encrypted in an unknown way")]
    UnsupportedEncryption,
    /// A limit is exceeded.
    #[error("it is over the budget of {budget}")]
    Limit {
        /// The limit.
        budget: Budget,
    },
    /// A structure contains itself.
    #[error("{what} contains itself")]
    Loop {
        /// The structure.
        what: Looped,
    },
}

/// The structures that must not contain themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looped {
    /// A node of the page tree is its own ancestor.
    PageTree,
    /// A form, a pattern, a glyph or a mask draws itself.
    Drawing,
    /// A section of the cross-reference is its own predecessor.
    CrossReference,
}

/// The names of the limits; [`Limits`](crate::Limits) and [`cos::Limits`] have the values.
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
    /// Nesting depth of arrays and dictionaries.
    Nesting,
    /// Values of one object or one operator.
    Values,
    /// Bytes of an object, its stream not counted.
    ObjectBytes,
    /// Bytes of one stream, before or after a filter.
    StreamBytes,
    /// Inflated bytes of all streams.
    TotalBytes,
    /// Pixels of an image.
    Pixels,
    /// Filters of a stream.
    Filters,
    /// Parameters of a predictor.
    Predictor,
    /// Sections of the cross-reference.
    Sections,
    /// Bytes searched for the end of streams with a wrong length.
    SearchBytes,
    /// Operators that run.
    Operators,
    /// Operands of an operator.
    Operands,
    /// Nesting depth of forms.
    FormDepth,
    /// Forms drawn.
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
            Self::Pixels => "pixels of an image",
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

/// A syntax error means that the file is damaged. Where it does not, callers use `readable`.
impl From<cos::Error> for Error {
    fn from(error: cos::Error) -> Self {
        match error {
            cos::Error::Limit(limit) => Self::over(limit.into()),
            cos::Error::Syntax { .. } => Refusal::Damaged.into(),
            cos::Error::Io(error) => Self::Io(error),
        }
    }
}

/// `None` if the syntax is invalid. Errors of limits and of the source are returned.
pub(crate) fn readable<T>(result: Result<T, cos::Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(cos::Error::Syntax { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
