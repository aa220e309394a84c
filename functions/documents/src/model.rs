//! The language model that extracts data.

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

/// Time-outs of one model call.
const TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_secs(5), call: Duration::from_mins(2) };
/// The part of an attempt's time that is not for the model: reading the text and storing the data.
const RESERVE: Duration = Duration::from_mins(1);

/// The extractor that the environment configures. `MODEL_PROVIDER` is `bedrock`, `bedrock-tool` or `openai`;
/// `openai` uses the server at `MODEL_URL`. `MODEL_ID` is the model's name at that provider.
pub fn from_environment(aws: &SdkConfig) -> Result<Extractor> {
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
            // A self-hosted server has one small model and answers one request at a time.
            let limits =
                Limits { chunk_tokens: 600, answer_tokens: 400, parallel: 1, ..Limits::default() };
            (config, limits)
        }
        _ => {
            return Err(Error::internal(
                "MODEL_PROVIDER is not one of bedrock, bedrock-tool, openai",
            ));
        }
    };
    let seconds = ExtractStructure::TIME_LIMIT.saturating_sub(RESERVE).as_secs();
    Ok(Extractor::new(connect(config, aws)?, Limits { seconds, ..limits }, None))
}

/// Connects to the configured model, with this stage's time-outs.
pub fn connect(config: ModelConfig, aws: &SdkConfig) -> Result<Arc<dyn Model>> {
    Ok(config.connect(TIMEOUTS, || aws_sdk_bedrockruntime::Client::new(aws))?)
}
