//! The port to a language model: one question, one answer. No adapter tries again by itself; the queue does.

pub mod bedrock;
pub mod openai;

use std::future::Future;
use std::ops::AddAssign;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema::Dialect;

/// An answer to come. Boxed, so that the pipeline can hold any model.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Completion, ModelError>> + Send + 'a>>;

/// A language model behind some API.
///
/// An adapter offers the model no tool besides the one that carries the answer, keeps no conversation
/// between calls, and runs nothing that the model asks for.
pub trait Model: Send + Sync {
    /// Asks once. The adapter bounds the time of the connection and of the whole call.
    fn complete<'a>(&'a self, request: &'a Request) -> Answering<'a>;

    /// The keywords of JSON Schema that the provider takes.
    fn dialect(&self) -> Dialect;

    /// The model's name, for records and prices.
    fn name(&self) -> &str;
}

/// One question to a model.
#[derive(Debug, Clone)]
pub struct Request {
    /// The instructions, which hold nothing from the document.
    pub system: String,
    /// The task and the document's text, delimited.
    pub user: String,
    /// The schema's name, `[a-z0-9_-]{1,64}`.
    pub schema_name: String,
    /// The JSON Schema of the answer, in the model's dialect.
    pub schema: Value,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The answer's text: JSON, if the model did as it was asked.
    pub text: String,
    /// The tokens used, if the server said.
    pub usage: Option<Usage>,
    /// Why the answer ends.
    pub stop: Stop,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The model had finished.
    Finished,
    /// The answer reached `max_tokens`, and is cut off.
    MaxTokens,
}

/// Tokens used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the questions.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// A server did not say, and some of the figures are estimates from the text's length.
    pub estimated: bool,
}

impl Usage {
    /// Input and output together.
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

/// Why a model gave no answer. The texts are a server's, for the log and never for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Too many requests or tokens in a time.
    #[error("the model's server throttles")]
    Throttled {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The server cannot be reached, or failed.
    #[error("the model's server is unavailable: {0}")]
    Unavailable(String),
    /// No answer in time.
    #[error("the model did not answer in time")]
    TimedOut,
    /// The model, or a filter before it, refuses this document.
    #[error("the model refused")]
    Refused,
    /// The question is longer than the model's context.
    #[error("the question is longer than the model's context")]
    TooLong,
    /// What the server answered is no completion.
    #[error("the model's server answered in no known form: {0}")]
    BadAnswer(String),
    /// No such model, no permission, or a request that the server does not take.
    #[error("the model's server refuses the request: {0}")]
    Misconfigured(String),
}

impl ModelError {
    /// Whether the same question may get an answer later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable(_) | Self::TimedOut)
    }
}

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands. Default 3 s.
    pub connect: Duration,
    /// From the call to the whole answer. Default 120 s.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), call: Duration::from_mins(2) }
    }
}

/// The start of a server's message: enough to understand, too little to carry a document.
fn excerpt(message: &str) -> String {
    message.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_retryable() {
        assert!(ModelError::Throttled { retry_after: None }.is_retryable());
        assert!(ModelError::Unavailable("503".into()).is_retryable());
        assert!(ModelError::TimedOut.is_retryable());
        assert!(!ModelError::Refused.is_retryable());
        assert!(!ModelError::TooLong.is_retryable());
        assert!(!ModelError::BadAnswer(String::new()).is_retryable());
        assert!(!ModelError::Misconfigured(String::new()).is_retryable());
    }
}
