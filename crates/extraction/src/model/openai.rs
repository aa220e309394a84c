//! Servers with OpenAI's chat completions API: llama.cpp, vLLM, Ollama, gateways, OpenAI itself.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answering, Completion, Model, ModelError, Request, Stop, Timeouts, Usage, excerpt};
use crate::config::ConfigError;
use crate::schema::Dialect;

/// Maximum length of a server's response, in bytes.
const BODY_LIMIT: usize = 4 << 20;

/// A model behind `POST …/v1/chat/completions`.
pub struct OpenAi {
    http: Client,
    url: Url,
    model: String,
    api_key: Option<SecretString>,
    json_schema: bool,
    dialect: Dialect,
    temperature: Option<f32>,
}

impl OpenAi {
    /// `base_url` may end in `/v1`. With a `dialect`, the server binds the model to the schema (`response_format`).
    /// Without one, the schema is in the prompt, and only the check of the answer enforces it.
    pub fn new(
        base_url: &str,
        model: String,
        api_key: Option<SecretString>,
        dialect: Option<Dialect>,
        temperature: Option<f32>,
        timeouts: Timeouts,
    ) -> Result<Self, ConfigError> {
        let url = endpoint(base_url)?;
        if api_key.is_some() && url.scheme() != "https" && !is_loopback(&url) {
            return Err(ConfigError::PlainKey);
        }
        let http = Client::builder()
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.call)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| ConfigError::Http(error.to_string()))?;
        Ok(Self {
            http,
            url,
            model,
            api_key,
            json_schema: dialect.is_some(),
            dialect: dialect.unwrap_or_default(),
            temperature,
        })
    }

    fn body(&self, request: &Request) -> Value {
        let system = if self.json_schema {
            request.system.clone()
        } else {
            format!(
                "{}\nAnswer with JSON alone, by this JSON Schema: {}",
                request.system, request.schema
            )
        };
        let mut body = json!({
            "model": self.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": request.user}],
            "max_tokens": request.max_tokens,
            "stream": false,
        });
        if let Some(temperature) = self.temperature {
            body["temperature"] = json!(temperature);
        }
        if self.json_schema {
            body["response_format"] = json!({
                "type": "json_schema",
                "json_schema": {"name": request.schema_name, "strict": true, "schema": request.schema},
            });
        }
        body
    }

    async fn ask(&self, request: &Request) -> Result<Completion, ModelError> {
        let mut call = self.http.post(self.url.clone()).json(&self.body(request));
        if let Some(key) = &self.api_key {
            call = call.bearer_auth(key.expose_secret());
        }
        let mut response = call.send().await.map_err(|error| from_transport_error(&error))?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let mut body = Vec::new();
        while let Some(piece) =
            response.chunk().await.map_err(|error| from_transport_error(&error))?
        {
            if body.len() + piece.len() > BODY_LIMIT {
                return Err(ModelError::BadAnswer(format!("more than {BODY_LIMIT} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        if !status.is_success() {
            return Err(from_status(status, retry_after, &body));
        }
        completion(&body)
    }
}

impl Model for OpenAi {
    fn complete<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(self.ask(request))
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn name(&self) -> &str {
        &self.model
    }
}

fn endpoint(base_url: &str) -> Result<Url, ConfigError> {
    let base = base_url.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    let url =
        Url::parse(&format!("{base}/v1/chat/completions")).map_err(|_| ConfigError::BaseUrl)?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(ConfigError::BaseUrl)
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn from_transport_error(error: &reqwest::Error) -> ModelError {
    if error.is_timeout() {
        ModelError::TimedOut
    } else {
        // Without its URL, which may contain a gateway's token.
        let what = if error.is_connect() { "no connection" } else { "the connection broke" };
        ModelError::Unavailable(what.to_owned())
    }
}

fn from_status(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> ModelError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body["error"][name].as_str().unwrap_or_default();
    match status {
        StatusCode::TOO_MANY_REQUESTS => ModelError::Throttled { retry_after },
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => ModelError::TimedOut,
        StatusCode::PAYLOAD_TOO_LARGE => ModelError::TooLong,
        // OpenAI and vLLM report it in `code`, llama.cpp in `type`.
        _ if text("code") == "context_length_exceeded"
            || text("type") == "exceed_context_size_error" =>
        {
            ModelError::TooLong
        }
        _ if text("code") == "content_filter" => ModelError::Refused,
        _ if status.is_server_error() => ModelError::Unavailable(status.to_string()),
        _ => ModelError::Misconfigured(excerpt(&format!("{status}: {}", text("message")))),
    }
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

// Tool calls are ignored on purpose: no tool was offered, so a call can only come from the document.
#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: u64,
    completion_tokens: u64,
}

fn completion(body: &[u8]) -> Result<Completion, ModelError> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| ModelError::BadAnswer("not a completion".into()))?;
    let choice = answer
        .choices
        .into_iter()
        .next()
        .ok_or_else(|| ModelError::BadAnswer("no choice".into()))?;
    let finish = choice.finish_reason.as_deref();
    if choice.message.refusal.is_some() || finish == Some("content_filter") {
        return Err(ModelError::Refused);
    }
    Ok(Completion {
        text: choice.message.content.unwrap_or_default(),
        usage: answer.usage.map(|tokens| Usage {
            input_tokens: tokens.prompt_tokens,
            output_tokens: tokens.completion_tokens,
            estimated: false,
        }),
        stop: if finish == Some("length") { Stop::MaxTokens } else { Stop::Finished },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_may_end_in_v1() {
        for base in [
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/",
            "http://127.0.0.1:8080/v1",
            "http://127.0.0.1:8080/v1/",
        ] {
            assert_eq!(
                endpoint(base).unwrap().as_str(),
                "http://127.0.0.1:8080/v1/chat/completions"
            );
        }
        assert!(endpoint("ftp://host").is_err());
        assert!(endpoint("").is_err());
    }

    #[test]
    fn a_key_goes_over_tls_or_stays_on_the_machine() {
        let new = |url: &str| {
            OpenAi::new(
                url,
                "m".into(),
                Some("key".to_owned().into()),
                None,
                None,
                Timeouts::default(),
            )
            .map(|_| ())
        };
        assert_eq!(new("http://models.example.com"), Err(ConfigError::PlainKey));
        assert_eq!(new("http://127.0.0.1:1"), Ok(()));
        assert_eq!(new("http://[::1]:1"), Ok(()));
        assert_eq!(new("https://models.example.com"), Ok(()));
    }
}
