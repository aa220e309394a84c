//! The objects of a PDF file: read by ranges, within budgets, each with its place in the file.
//!
//! [`File::open`] reads the header, the tail and the cross-reference; every object is read when it
//! is asked for, through a [`Source`] that gives byte ranges. So a large file in a remote store
//! costs what is looked at. All sizes and counts that a file announces are held against [`Limits`]
//! before anything is allocated for them, nothing recurses deeper than [`Limits::nesting`], and
//! whatever the bytes are, the outcome is a value or an [`Error`].
//!
//! What a strict validator needs is kept: where objects, streams and cross-reference subsections
//! start and end ([`Form`], [`StreamForm`], [`Subsection`]), how strings were spelled ([`Hex`]),
//! and keys that come twice ([`Dict::iter`]).
//!
//! ```
//! use cos::{File, Limits, Object};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bytes = b"%PDF-1.4
//! 1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
//! 2 0 obj <</Type/Pages/Kids[]/Count 0>> endobj
//! trailer <</Root 1 0 R>>".to_vec();
//! let file = File::open(bytes, Limits::default())?;
//! let root = file.root()?;
//! assert_eq!(file.get(&root, "Type")?, Object::Name(cos::Name::new("Catalog")));
//! assert!(file.rebuilt(), "it has no cross-reference");
//! # Ok(())
//! # }
//! ```

pub mod content;
mod crypt;
mod error;
mod file;
mod filters;
mod lexer;
mod limits;
mod object;
mod object_streams;
mod open;
mod pages;
mod predictor;
mod rebuild;
mod source;
mod streams;
mod text;
mod xref;

pub use crypt::Access;
pub use error::{Error, Limit, OpenError};
pub use file::{File, Form, Header, Indirect};
pub use filters::{Codec, Decoded};
pub use lexer::{is_delimiter, is_regular, is_white_space};
pub use limits::Limits;
pub use object::{Array, Dict, Hex, Name, Object, Ref, Str, Stream, StreamForm};
pub use pages::Page;
pub use source::Source;
pub use xref::{Entry, Section, SectionKind, Subsection, Xref};
