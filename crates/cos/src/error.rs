//! Errors while reading a file.

use std::{fmt, io, sync::Arc};

/// Why an object, a stream or a content stream could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The file exceeds one of the [`Limits`](crate::Limits).
    #[error("over the budget of {0}")]
    Limit(Limit),
    /// The bytes are not valid PDF syntax.
    #[error("at byte {offset}: {what}")]
    Syntax {
        /// Offset in bytes from the start of the file, or from the start of the stream for data in
        /// a stream.
        offset: u64,
        /// What was expected or is wrong.
        what: &'static str,
    },
    /// The source failed.
    #[error("the file could not be read: {0}")]
    Io(#[source] Arc<io::Error>),
}

impl Error {
    pub(crate) const fn syntax(offset: u64, what: &'static str) -> Self {
        Self::Syntax { offset, what }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// Why a file could not be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// No `%PDF-` within the first 1,024 bytes.
    #[error("no PDF header in the first 1,024 bytes")]
    NotPdf,
    /// No usable cross-reference, trailer or catalog, and none could be rebuilt.
    #[error("damaged: {0}")]
    Damaged(&'static str),
    /// A limit was exceeded before any object was readable.
    #[error("over the budget of {0}")]
    Limit(Limit),
    /// The source failed.
    #[error("the file could not be read: {0}")]
    Io(#[source] Arc<io::Error>),
}

/// The names of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Nesting depth of arrays and dictionaries.
    Nesting,
    /// Indirect objects, or entries of the cross-reference.
    Objects,
    /// Values within one indirect object.
    Values,
    /// Bytes of one indirect object, its stream not counted.
    ObjectBytes,
    /// Bytes of one stream, before or after its filters.
    StreamBytes,
    /// Bytes decoded and parsed in total.
    TotalBytes,
    /// Filters of one stream.
    Filters,
    /// Predictor parameters.
    Predictor,
    /// Sections of the cross-reference.
    Sections,
    /// Bytes searched for the end of streams with a wrong length.
    SearchBytes,
    /// Operators of one content stream.
    Operators,
    /// Operands of one operator.
    Operands,
    /// Pages.
    Pages,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nesting => "nesting",
            Self::Objects => "objects",
            Self::Values => "values in an object",
            Self::ObjectBytes => "bytes of an object",
            Self::StreamBytes => "bytes of a stream",
            Self::TotalBytes => "bytes decoded and parsed in all",
            Self::Filters => "filters of a stream",
            Self::Predictor => "predictor parameters",
            Self::Sections => "cross-reference sections",
            Self::SearchBytes => "bytes searched for ends of streams",
            Self::Operators => "operators of a content stream",
            Self::Operands => "operands of an operator",
            Self::Pages => "pages",
        })
    }
}
