//! Amazon Bedrock's Converse API.

use std::collections::HashMap;

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::timeout::TimeoutConfig;
use aws_sdk_bedrockruntime::error::{
    BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError,
};
use aws_sdk_bedrockruntime::operation::converse::{ConverseError, ConverseOutput};
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, InferenceConfiguration, JsonSchemaDefinition, Message,
    OutputConfig, OutputFormat, OutputFormatStructure, OutputFormatType, SpecificToolChoice,
    StopReason, SystemContentBlock, Tool, ToolChoice, ToolConfiguration, ToolInputSchema,
    ToolSpecification,
};
use aws_smithy_types::{Document, Number};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answering, Completion, Model, ModelError, Request, Stop, Timeouts, Usage, excerpt};
use crate::schema::Dialect;

/// The model's only tool, which it must use if it cannot be bound to a schema in another way.
const TOOL: &str = "record";

/// How a model is bound to the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Structured {
    /// By `outputConfig.textFormat`, for models with structured output.
    #[default]
    Schema,
    /// By a tool whose input is the answer, forced by `toolChoice`, for models with tool use.
    Tool,
    /// As [`Structured::Tool`], with a `strict` tool.
    StrictTool,
}

/// A model on Bedrock.
pub struct Bedrock {
    client: Client,
    model_id: String,
    structured: Structured,
    temperature: Option<f32>,
    timeouts: Timeouts,
}

impl Bedrock {
    /// `model_id` is the id of a model or of an inference profile, or an ARN. The client's retries and timeouts are
    /// replaced, because only the queue retries.
    #[must_use]
    pub fn new(
        client: Client,
        model_id: String,
        structured: Structured,
        temperature: Option<f32>,
        timeouts: Timeouts,
    ) -> Self {
        Self { client, model_id, structured, temperature, timeouts }
    }

    async fn ask(&self, request: &Request) -> Result<Completion, ModelError> {
        // All fields are set, because the SDK takes missing ones from the client's timeouts.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(self.timeouts.connect)
            .disable_read_timeout()
            .operation_attempt_timeout(self.timeouts.call)
            .operation_timeout(self.timeouts.call)
            .build();
        let message = Message::builder()
            .role(ConversationRole::User)
            .content(ContentBlock::Text(request.user.clone()))
            .build()
            .map_err(|error| from_build_error(&error))?;
        let max_tokens = i32::try_from(request.max_tokens).unwrap_or(i32::MAX);
        let call = self
            .client
            .converse()
            .model_id(&self.model_id)
            .system(SystemContentBlock::Text(request.system.clone()))
            .messages(message)
            .inference_config(
                InferenceConfiguration::builder()
                    .max_tokens(max_tokens)
                    .set_temperature(self.temperature)
                    .build(),
            );
        let call = match self.structured {
            Structured::Schema => call
                .output_config(output_config(request).map_err(|error| from_build_error(&error))?),
            Structured::Tool => call
                .tool_config(tool_config(request, None).map_err(|error| from_build_error(&error))?),
            Structured::StrictTool => call.tool_config(
                tool_config(request, Some(true)).map_err(|error| from_build_error(&error))?,
            ),
        };
        let settings = aws_sdk_bedrockruntime::config::Builder::new()
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        let output = call
            .customize()
            .config_override(settings)
            .send()
            .await
            .map_err(|error| from_sdk_error(&error))?;
        self.completion(output)
    }

    fn completion(&self, output: ConverseOutput) -> Result<Completion, ModelError> {
        let stop = match output.stop_reason {
            StopReason::ContentFiltered | StopReason::GuardrailIntervened => {
                return Err(ModelError::Refused);
            }
            StopReason::ModelContextWindowExceeded => return Err(ModelError::TooLong),
            StopReason::MaxTokens => Stop::MaxTokens,
            // A malformed answer becomes text for the repair; for an unknown reason, the text decides.
            _ => Stop::Finished,
        };
        let usage = output.usage.map(|tokens| Usage {
            input_tokens: u64::try_from(tokens.input_tokens).unwrap_or_default(),
            output_tokens: u64::try_from(tokens.output_tokens).unwrap_or_default(),
            estimated: false,
        });
        let blocks = match output.output {
            Some(aws_sdk_bedrockruntime::types::ConverseOutput::Message(message)) => {
                message.content
            }
            _ => return Err(ModelError::BadAnswer("no message".into())),
        };
        let text = match self.structured {
            Structured::Schema => {
                blocks.iter().filter_map(|block| block.as_text().ok()).map(String::as_str).collect()
            }
            Structured::Tool | Structured::StrictTool => blocks
                .into_iter()
                .find_map(|block| match block {
                    ContentBlock::ToolUse(tool) if tool.name == TOOL => {
                        Some(from_document(tool.input).to_string())
                    }
                    _ => None,
                })
                .unwrap_or_default(),
        };
        Ok(Completion { text, usage, stop })
    }
}

impl Model for Bedrock {
    fn complete<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(self.ask(request))
    }

    fn dialect(&self) -> Dialect {
        Dialect::Minimal
    }

    fn name(&self) -> &str {
        &self.model_id
    }
}

fn output_config(request: &Request) -> Result<OutputConfig, BuildError> {
    let definition = JsonSchemaDefinition::builder()
        .name(&request.schema_name)
        .schema(request.schema.to_string())
        .build()?;
    let format = OutputFormat::builder()
        .r#type(OutputFormatType::JsonSchema)
        .structure(OutputFormatStructure::JsonSchema(definition))
        .build()?;
    Ok(OutputConfig::builder().text_format(format).build())
}

fn tool_config(request: &Request, strict: Option<bool>) -> Result<ToolConfiguration, BuildError> {
    let tool = ToolSpecification::builder()
        .name(TOOL)
        .description("Records the document's data.")
        .input_schema(ToolInputSchema::Json(to_document(&request.schema)))
        .set_strict(strict)
        .build()?;
    ToolConfiguration::builder()
        .tools(Tool::ToolSpec(tool))
        .tool_choice(ToolChoice::Tool(SpecificToolChoice::builder().name(TOOL).build()?))
        .build()
}

fn from_build_error(error: &BuildError) -> ModelError {
    ModelError::Misconfigured(error.to_string())
}

fn from_sdk_error(error: &SdkError<ConverseError>) -> ModelError {
    let service = match error {
        SdkError::TimeoutError(_) => return ModelError::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => return ModelError::TimedOut,
        SdkError::ServiceError(service) => service,
        SdkError::ResponseError(_) => {
            return ModelError::BadAnswer("a response that cannot be parsed".into());
        }
        other => return ModelError::Unavailable(excerpt(&DisplayErrorContext(other).to_string())),
    };
    let (status, error) = (service.raw().status().as_u16(), service.err());
    let message = error.message().unwrap_or_default();
    match error {
        ConverseError::ThrottlingException(_) => ModelError::Throttled { retry_after: None },
        ConverseError::ModelTimeoutException(_) => ModelError::TimedOut,
        ConverseError::InternalServerException(_)
        | ConverseError::ServiceUnavailableException(_)
        | ConverseError::ModelNotReadyException(_)
        | ConverseError::ModelErrorException(_) => {
            ModelError::Unavailable(error.code().unwrap_or("Bedrock").to_owned())
        }
        // The API has no separate code for a question that exceeds the context.
        ConverseError::ValidationException(_) if message.to_lowercase().contains("too long") => {
            ModelError::TooLong
        }
        _ if status == 429 => ModelError::Throttled { retry_after: None },
        _ if status >= 500 => ModelError::Unavailable(status.to_string()),
        _ => ModelError::Misconfigured(excerpt(&format!(
            "{}: {message}",
            error.code().unwrap_or_default()
        ))),
    }
}

// Schemas have a limited depth (`schema::MAX_DEPTH`), and the JSON of an answer was parsed with a limited depth, so
// recursion is safe.
fn to_document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(bool) => Document::Bool(*bool),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Number::PosInt(number),
            (None, Some(number)) => Number::NegInt(number),
            (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(string) => Document::String(string.clone()),
        Value::Array(items) => Document::Array(items.iter().map(to_document).collect()),
        Value::Object(members) => Document::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), to_document(value)))
                .collect::<HashMap<_, _>>(),
        ),
    }
}

fn from_document(document: Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(bool) => bool.into(),
        Document::Number(Number::PosInt(number)) => number.into(),
        Document::Number(Number::NegInt(number)) => number.into(),
        Document::Number(Number::Float(number)) => number.into(),
        Document::String(string) => string.into(),
        Document::Array(items) => items.into_iter().map(from_document).collect(),
        Document::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, from_document(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_survives_conversion_to_a_document_and_back() {
        let value = serde_json::json!({"a": [1, -2, 2.5, null, true, "x"], "b": {"c": {}}});
        assert_eq!(from_document(to_document(&value)), value);
    }
}
