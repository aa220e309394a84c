//! A job of the stage `structure`.

use documents::budget::Budgets;
use documents::model;
use documents::stages::serve::{Parts, serve};
use documents::stages::structure::ExtractStructure;
use shared::config::var;

fn main() -> shared::Result<()> {
    serve(|Parts { aws, dynamodb, documents, objects, clock }| {
        let extractor = model::of_environment(&aws)?;
        let budgets = Budgets::new(dynamodb, var("REQUESTS_TABLE")?, clock);
        let daily_tokens = var("DAILY_MODEL_TOKENS")?;
        Ok(ExtractStructure { documents, objects, extractor, budgets, daily_tokens })
    })
}
