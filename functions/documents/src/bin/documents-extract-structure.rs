//! A job of the stage `structure`.

use documents::model;
use documents::stages::serve::{Parts, serve};
use documents::stages::structure::ExtractStructure;

fn main() -> shared::Result<()> {
    serve(|Parts { aws, documents, objects, .. }| {
        let extractor = model::of_environment(&aws)?;
        Ok(ExtractStructure { documents, objects, extractor })
    })
}
