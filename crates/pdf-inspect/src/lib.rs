//! Reports the contents of a PDF that a policy may refuse: actions, files, encryption, loops,
//! bombs.
//!
//! [`inspect`] opens a file, reads every object, and counts the inflated bytes of its streams and
//! the operators of its pages. There are two results. [`Refusal`]: no program should read the file,
//! because it is not a PDF, is too damaged, needs a password, contains a loop, or exceeds one of
//! the [`Limits`]. [`Findings`]: the facts about any other file. Each tenant chooses the accepted
//! ones in a [`Policy`]; [`Policy::judge`] returns the [`Verdict`].
//!
//! Nothing depends on a clock: the same file gives the same result on any machine. [`Limits`] also
//! bound the memory, but a parser of untrusted bytes should still run in a process of its own.
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
