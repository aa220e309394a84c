//! Reads the objects of a PDF file by ranges, within budgets, with their positions in the file.
//!
//! [`File::open`] reads the header, the tail and the cross-reference. Every object is read on
//! demand, through a [`Source`] that provides byte ranges, so a large file in a remote store costs
//! only the parts that are used. All sizes and counts that a file declares are checked against
//! [`Limits`] before memory is allocated for them. Nothing recurses deeper than
//! [`Limits::nesting`]. For any input the result is a value or an [`Error`].
//!
//! A strict validator also gets the positions of objects, streams and cross-reference subsections
//! ([`Form`], [`StreamForm`], [`Subsection`]), the digits of hexadecimal strings ([`Hex`]), and
//! duplicate keys ([`Dict::iter`]).
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
