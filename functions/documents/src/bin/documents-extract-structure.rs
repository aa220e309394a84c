//! A job of the stage `structure`.

use documents::stages::serve::{Parts, serve};
use documents::stages::structure::{ExtractStructure, extractor_of_environment};

fn main() -> shared::Result<()> {
    serve(|Parts { aws, documents, objects, .. }| {
        let extractor = extractor_of_environment(&aws)?;
        Ok(ExtractStructure { documents, objects, extractor })
    })
}
