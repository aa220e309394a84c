//! What a PDF contains that a policy may refuse: actions, files, encryption, loops, bombs.
//!
//! [`inspect`] opens a file, reads every object of it, counts what its streams inflate to and what
//! its pages draw, and ends in one of two ways. A [`Refusal`] is a file that nothing should read:
//! no PDF, damaged beyond use, behind a password, a loop, or over one of the [`Limits`].
//! [`Findings`] are the facts about any other file; which of them are accepted is a tenant's
//! choice, a [`Policy`], and [`Policy::judge`] gives its [`Verdict`].
//!
//! Nothing depends on a clock: the same file has the same outcome on any machine. What is held in
//! memory is bounded by [`Limits`] too, but a parser of untrusted bytes still belongs in a process
//! of its own.
//!
//! ```
//! use pdf_inspect::{Feature, Limits, Policy, Verdict, inspect};
//!
//! # fn main() -> Result<(), pdf_inspect::Error> {
//! let bytes = b"%PDF-1.4
//! 1 0 obj <</Type/Catalog/Pages 2 0 R/OpenAction<</S/Java#53cript/JS(1)>> >> endobj
//! 2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
//! 3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>> endobj
//! trailer <</Root 1 0 R>>".to_vec();
//! let findings = inspect(bytes, &Limits::default())?;
//! assert!(findings.has(Feature::JavaScript));
//! assert!(matches!(Policy::default().judge(&findings), Verdict::Accepted { .. }));
//! let strict: Policy = serde_json::from_str(r#"{"features": {"java_script": "refuse"}}"#).unwrap();
//! assert!(matches!(strict.judge(&findings), Verdict::Refused { .. }));
//! # Ok(())
//! # }
//! ```

mod body;
mod drawing;
mod ends;
mod feature;
mod features;
mod findings;
mod inspect;
mod limits;
mod meter;
mod pages;
mod policy;
mod refusal;
mod streams;

pub use feature::Feature;
pub use findings::{Encryption, Findings, Found};
pub use inspect::inspect;
pub use limits::Limits;
pub use policy::{Action, Policy, Reason, Verdict};
pub use refusal::{Budget, Error, Looped, Refusal};
