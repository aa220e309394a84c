//! Extracts the text of a PDF, page by page, in reading order, with positions.
//!
//! A file is read through a [`Source`] by byte ranges, never as a whole. [`Document::open`] reads
//! its start and end; each page reads its own content and the fonts that are not cached. For any
//! input, the result is text or a [`Refusal`]. Everything that depends on the input is counted
//! against [`Limits`]. The README describes the reading order, measurements, and restrictions.
//!
//! ```
//! use std::ops::ControlFlow;
//! use pdf_text::{Document, Limits};
//!
//! # fn main() -> Result<(), pdf_text::Refusal> {
//! let bytes = b"%PDF-1.4
//! 1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
//! 2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
//! 3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R
//!     /Resources<</Font<</F <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> >> >> >> endobj
//! 4 0 obj <</Length 43>> stream
//! BT /F 10 Tf 20 50 Td (two  words) Tj ET    
//! endstream endobj
//! trailer <</Root 1 0 R>>".to_vec();
//! let document = Document::open(bytes, Limits::default())?;
//! document.read_pages(1, |page| {
//!     assert_eq!(page.text(), "two words\n");
//!     let word = &page.lines[0].words[0];
//!     assert_eq!((word.bbox.x0, word.bbox.y1), (20.0, 52.0), "50 points from the top, and descent");
//!     ControlFlow::Continue(())
//! })?;
//! # Ok(())
//! # }
//! ```

mod document;
mod font;
mod interpret;
mod layout;
mod limits;
mod matrix;
mod metadata;
mod mini;
mod page;
mod pages;
mod refusal;
mod write;

pub use cos::Source;
pub use document::Document;
pub use limits::Limits;
pub use metadata::Metadata;
pub use page::{Line, Page, Rect, Word};
pub use refusal::{Budget, Refusal};
