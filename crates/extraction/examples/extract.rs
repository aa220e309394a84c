//! Extracts the data of a text file with a model on an OpenAI-compatible server, and prints the result.
//!
//! `cargo run -p extraction --example extract -- <base_url> <model> <schema> <text file> [chunk tokens] [answer tokens]`
//!
//! The schema is the id of a built-in schema, or a file. Form feeds separate the pages of the text, as in the output of
//! pdftotext.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use extraction::{Dialect, Extractor, Limits, ModelConfig, Page, Schema, Timeouts};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [base_url, model, schema, file, sizes @ ..] = &args[..] else {
        return Err(
            "arguments: <base_url> <model> <schema> <text file> [chunk tokens] [answer tokens]"
                .into(),
        );
    };
    let schema = match Schema::built_in(schema) {
        Some(schema) => schema,
        None => Schema::register("custom", 1, &std::fs::read_to_string(schema)?)?,
    };
    let text = std::fs::read_to_string(file)?;
    let pages =
        text.split('\u{c}').zip(1..).map(|(text, number)| Page { number, text: text.to_owned() });
    let pages: Vec<Page> = pages.filter(|page| !page.text.trim().is_empty()).collect();

    let config = ModelConfig::OpenAiCompatible {
        base_url: base_url.clone(),
        model: model.clone(),
        api_key: None,
        json_schema: true,
        dialect: Dialect::Full,
        temperature: Some(0.0),
    };
    let mut limits =
        Limits { chunk_tokens: 600, answer_tokens: 500, parallel: 1, ..Limits::default() };
    if let Some(tokens) = sizes.first() {
        limits.chunk_tokens = tokens.parse()?;
    }
    if let Some(tokens) = sizes.get(1) {
        limits.answer_tokens = tokens.parse()?;
    }
    let model =
        config.connect(Timeouts::default(), || unreachable!("the model is not Bedrock's"))?;

    let start = Instant::now();
    let result = Extractor::new(model, limits, None).extract(&schema, &pages).await;
    let time = start.elapsed();
    let extraction = match &result {
        Ok(extraction) => extraction,
        Err(outcome) => {
            println!("{outcome}");
            outcome.partial().ok_or("no data")?
        }
    };
    println!("{}", serde_json::to_string_pretty(&extraction.value)?);
    for field in &extraction.fields {
        let place = field
            .place
            .as_ref()
            .map(|place| format!("page {} at {}: {:?}", place.page, place.start, place.quote));
        println!(
            "{:?} {:.2} {} = {} {}",
            field.grounding,
            field.confidence,
            field.pointer,
            field.value,
            place.unwrap_or_default()
        );
    }
    println!("violations: {:?}\nwarnings: {:?}", extraction.violations, extraction.warnings);
    println!(
        "{} calls, {} chunks, {:?}, {:.1} s",
        extraction.calls,
        extraction.chunks,
        extraction.usage,
        time.as_secs_f64()
    );
    Ok(())
}
