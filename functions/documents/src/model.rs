//! The language model that documents are read with.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use extraction::model::Model;
use extraction::schema::Dialect;
use extraction::{Extractor, Limits, ModelConfig, Structured, Timeouts};
use shared::config::var;
use shared::{Error, Result};

use crate::stages::Work;
use crate::stages::structure::ExtractStructure;

/// How long one call of the model may take.
const TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_secs(5), call: Duration::from_mins(2) };
/// Time that an attempt reserves for everything but the model: reading the text and storing the data.
const RESERVE: Duration = Duration::from_mins(1);

/// The extractor that the environment names: `MODEL_PROVIDER` is `bedrock`, `bedrock-tool`, or `openai`
/// with a server at `MODEL_URL`; `MODEL_ID` is the model's name there.
pub fn of_environment(aws: &SdkConfig) -> Result<Extractor> {
    let (provider, model_id): (String, _) = (var("MODEL_PROVIDER")?, var("MODEL_ID")?);
    let temperature = Some(0.0);
    let (config, limits) = match provider.as_str() {
        "bedrock" | "bedrock-tool" => {
            let is_tool = provider == "bedrock-tool";
            let structured = if is_tool { Structured::Tool } else { Structured::Schema };
            (ModelConfig::Bedrock { model_id, structured, temperature }, Limits::default())
        }
        "openai" => {
            let config = ModelConfig::OpenAiCompatible {
                base_url: var("MODEL_URL")?,
                model: model_id,
                api_key: None,
                json_schema: true,
                dialect: Dialect::Full,
                temperature,
            };
            // A server of one's own has one small model, and does one thing at a time.
            let limits =
                Limits { chunk_tokens: 600, answer_tokens: 400, parallel: 1, ..Limits::default() };
            (config, limits)
        }
        _ => {
            return Err(Error::internal("MODEL_PROVIDER is none of bedrock, bedrock-tool, openai"));
        }
    };
    let seconds = ExtractStructure::TIME_LIMIT.saturating_sub(RESERVE).as_secs();
    Ok(Extractor::new(connect(config, aws)?, Limits { seconds, ..limits }, None))
}

/// The model of a configuration, with the time-outs of the stage.
pub fn connect(config: ModelConfig, aws: &SdkConfig) -> Result<Arc<dyn Model>> {
    Ok(config.connect(TIMEOUTS, || aws_sdk_bedrockruntime::Client::new(aws))?)
}
