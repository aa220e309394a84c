//! A validator for PDF/A-1, PDF/A-2, PDF/A-3 and PDF/A-4.
//!
//! [`validate`] checks a file against a [`Flavour`] and returns a [`Report`]. The name of a rule is
//! the clause of ISO 19005 and the number that veraPDF gives to the test. [`Claim`] is the flavour
//! that a file claims, whether or not this crate can check it.

mod checker;
mod claim;
mod document;
mod file_structure;
mod flavour;
mod graphics;
mod interactive;
mod part_4;
mod report;
mod tagging;
mod xmp;

use cos::{Error, File, Source};

use checker::Checker;
pub use checker::MAX_PER_RULE;
pub use claim::Claim;
pub use flavour::{Flavour, LAST_PART, Level, Part, UnknownFlavour};
pub use report::{Failure, Report};

/// Checks `file` against `flavour`.
///
/// # Errors
/// [`Error::Limit`] if the file exceeds a limit, so that it cannot be checked completely;
/// [`Error::Io`] if its source fails.
pub fn validate<S: Source>(file: &File<S>, flavour: Flavour) -> Result<Report, Error> {
    validate_at(file, flavour, 0)
}

/// Like [`validate`], for a file that is embedded at this `depth`.
fn validate_at<S: Source>(file: &File<S>, flavour: Flavour, depth: usize) -> Result<Report, Error> {
    let checker = Checker::new(file, flavour, depth);
    file_structure::check(&checker);
    document::check(&checker);
    interactive::check(&checker);
    tagging::check(&checker);
    graphics::check(&checker);
    xmp::check(&checker);
    checker.report()
}
