//! A validator for PDF/A-1, PDF/A-2, PDF/A-3 and PDF/A-4.
//!
//! [`validate`] checks a file against a [`Flavour`] and gives a [`Report`]. A rule is named by the
//! clause of ISO 19005 that it comes from and by the number that veraPDF gives to the test. [`Claim`] tells
//! what a file claims, be it a flavour that there is a check for or not.

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
/// [`Error::Limit`] for a file that goes over a budget, so that it cannot be checked whole;
/// [`Error::Io`] if its source fails.
pub fn validate<S: Source>(file: &File<S>, flavour: Flavour) -> Result<Report, Error> {
    validate_at(file, flavour, 0)
}

/// The same for a file that is embedded in `depth` others.
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
