//! The interface to a language model: one question, one answer. Adapters do not retry; the queue does.

pub mod bedrock;
pub mod openai;

use std::future::Future;
use std::ops::AddAssign;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema::Dialect;

/// A future answer. Boxed, so that the pipeline works with any model.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Completion, ModelError>> + Send + 'a>>;

/// A language model behind an API.
///
/// An adapter offers the model only the tool that carries the answer, keeps no conversation between calls, and executes
/// nothing that the model asks for.
pub trait Model: Send + Sync {
    /// Makes one call. The adapter limits the time of the connection and of the whole call.
    fn complete<'a>(&'a self, request: &'a Request) -> Answering<'a>;

    /// The JSON Schema keywords that the provider accepts.
    fn dialect(&self) -> Dialect;

    /// The model's name, for records and prices.
    fn name(&self) -> &str;
}

/// One question to a model.
#[derive(Debug, Clone)]
pub struct Request {
    /// The instructions, which contain nothing from the document.
    pub system: String,
    /// The task and the document's text, delimited.
    pub user: String,
    /// The schema's name, `[a-z0-9_-]{1,64}`.
    pub schema_name: String,
    /// The JSON Schema of the answer, in the model's dialect.
    pub schema: Value,
    /// Maximum length of the answer, in tokens.
    pub max_tokens: u32,
}

/// The answer of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The text of the answer: JSON, if the model followed the instructions.
    pub text: String,
    /// The tokens used, if the server returned them.
    pub usage: Option<Usage>,
    /// The reason why the answer ended.
    pub stop: Stop,
}

/// The reason why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The model finished.
    Finished,
    /// The answer reached `max_tokens` and is truncated.
    MaxTokens,
}

/// Tokens used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Whether some of the numbers are estimates from the text's length, because a server did not return them.
    pub estimated: bool,
}

impl Usage {
    /// Sum of input and output.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.estimated = self.estimated || other.estimated;
    }
}

/// The reason why a model gave no answer. The texts come from a server. They are for the log, never for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Too many requests or tokens per time.
    #[error("the model's server limits the request rate")]
    Throttled {
        /// The waiting time that the server requests.
        retry_after: Option<Duration>,
    },
    /// The server is unreachable, or failed.
    #[error("the model's server is unavailable: {0}")]
    Unavailable(String),
    /// No answer in time.
    #[error("the model did not answer in time")]
    TimedOut,
    /// The model, or a filter in front of it, refused this document.
    #[error("the model refused")]
    Refused,
    /// The question is longer than the model's context.
    #[error("the question is longer than the model's context")]
    TooLong,
    /// The server's response is not a completion.
    #[error("the model's server sent an unknown response: {0}")]
    BadAnswer(String),
    /// The model does not exist, a permission is missing, or the server does not accept the request.
    #[error("the model's server refused the request: {0}")]
    Misconfigured(String),
}

impl ModelError {
    /// Whether the same question may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable(_) | Self::TimedOut)
    }
}

/// Time limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection is established. Default 3 s.
    pub connect: Duration,
    /// From the call to the complete answer. Default 120 s.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), call: Duration::from_mins(2) }
    }
}

/// The start of a server's message: long enough to be useful, too short to contain a document.
fn excerpt(message: &str) -> String {
    message.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_errors_are_retryable() {
        assert!(ModelError::Throttled { retry_after: None }.is_retryable());
        assert!(ModelError::Unavailable("503".into()).is_retryable());
        assert!(ModelError::TimedOut.is_retryable());
        assert!(!ModelError::Refused.is_retryable());
        assert!(!ModelError::TooLong.is_retryable());
        assert!(!ModelError::BadAnswer(String::new()).is_retryable());
        assert!(!ModelError::Misconfigured(String::new()).is_retryable());
    }
}
