//! The configuration and the prices of the model.

use std::sync::Arc;

use secrecy::SecretString;
use serde::Deserialize;

use crate::model::bedrock::{Bedrock, Structured};
use crate::model::openai::OpenAi;
use crate::model::{Model, Timeouts, Usage};
use crate::schema::Dialect;

/// The model, as configured by a deployment.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelConfig {
    /// Amazon Bedrock.
    Bedrock {
        /// The id of a model or of an inference profile, or an ARN.
        model_id: String,
        /// How the model is bound to the schema.
        #[serde(default)]
        structured: Structured,
        /// 0 by default, for repeatable answers; `null` for models without this setting.
        #[serde(default = "zero")]
        temperature: Option<f32>,
    },
    /// A server with OpenAI's chat completions API.
    OpenAiCompatible {
        /// Its address, with or without `/v1`.
        base_url: String,
        /// The model's name there.
        model: String,
        /// A bearer token. It is sent only over TLS or to this machine.
        #[serde(default)]
        api_key: Option<SecretString>,
        /// Whether the server accepts `response_format: json_schema`. Default true.
        #[serde(default = "yes")]
        json_schema: bool,
        /// The schema keywords that the server accepts. Default `bounded`; `full` for llama.cpp and vLLM.
        #[serde(default)]
        dialect: Dialect,
        /// As for Bedrock.
        #[serde(default = "zero")]
        temperature: Option<f32>,
    },
}

#[expect(clippy::unnecessary_wraps, reason = "a serde default must return the type of the field")]
fn zero() -> Option<f32> {
    Some(0.0)
}

fn yes() -> bool {
    true
}

/// An invalid configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The base URL is not an HTTP or HTTPS URL.
    #[error("base_url is not an http or https URL")]
    BaseUrl,
    /// The API key would be sent over a network unencrypted.
    #[error("an api_key needs an https base_url, or one on this machine")]
    PlainKey,
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Http(String),
}

impl ModelConfig {
    /// Connects to the model of this configuration. `bedrock` is called only for a Bedrock model.
    pub fn connect(
        self,
        timeouts: Timeouts,
        bedrock: impl FnOnce() -> aws_sdk_bedrockruntime::Client,
    ) -> Result<Arc<dyn Model>, ConfigError> {
        Ok(match self {
            Self::Bedrock { model_id, structured, temperature } => {
                Arc::new(Bedrock::new(bedrock(), model_id, structured, temperature, timeouts))
            }
            Self::OpenAiCompatible {
                base_url,
                model,
                api_key,
                json_schema,
                dialect,
                temperature,
            } => {
                let dialect = json_schema.then_some(dialect);
                Arc::new(OpenAi::new(&base_url, model, api_key, dialect, temperature, timeouts)?)
            }
        })
    }
}

/// A model's prices, in millionths of a US dollar per million tokens: 3 dollars are `3_000_000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// For input tokens.
    pub input: u64,
    /// For output tokens.
    pub output: u64,
}

impl Price {
    /// The cost in millionths of a US dollar, rounded up.
    #[must_use]
    pub fn of(self, usage: Usage) -> u64 {
        let input = u128::from(usage.input_tokens) * u128::from(self.input);
        let output = u128::from(usage.output_tokens) * u128::from(self.output);
        let sum = input.saturating_add(output);
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens, estimated: false }
    }

    #[test]
    fn a_cost_is_rounded_up_and_does_not_overflow() {
        let price = Price { input: 3_000_000, output: 15_000_000 };
        assert_eq!(price.of(usage(1_000, 200)), 6_000);
        assert_eq!(price.of(usage(1_000_000, 0)), 3_000_000);
        assert_eq!(Price { input: 50_000, output: 0 }.of(usage(1, 0)), 1);
        assert_eq!(price.of(usage(0, 0)), 0);
        assert_eq!(
            Price { input: u64::MAX, output: u64::MAX }.of(usage(u64::MAX, u64::MAX)),
            u64::MAX
        );
    }

    #[test]
    fn a_configuration_has_defaults_and_no_unknown_members() {
        let config: ModelConfig =
            serde_json::from_str(r#"{"provider":"bedrock","model_id":"amazon.nova-lite-v1:0"}"#)
                .unwrap();
        assert!(matches!(
            config,
            ModelConfig::Bedrock { structured: Structured::Schema, temperature: Some(0.0), .. }
        ));
        let config: ModelConfig =
            serde_json::from_str(r#"{"provider":"open_ai_compatible","base_url":"http://localhost:1","model":"m","api_key":"k"}"#)
                .unwrap();
        assert!(matches!(config, ModelConfig::OpenAiCompatible { json_schema: true, .. }));
        assert!(!format!("{config:?}").contains("\"k\""));
        assert!(
            serde_json::from_str::<ModelConfig>(
                r#"{"provider":"bedrock","model_id":"m","region":"x"}"#
            )
            .is_err()
        );
    }
}
