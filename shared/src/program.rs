//! A system's program: one binary for all Lambdas of the system.
//!
//! **Guarantees.** The template's `Handler` selects the Lambda. If a variable that the Lambda reads is
//! missing or invalid, the program does not start, and the error names the variable. Invalid variables of
//! [`telemetry`] are logged and have no effect.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use serde_json::Value;
//! use shared::program::{self, Environment};
//! use shared::{http, invocation};
//!
//! fn main() -> shared::Result<()> {
//!     program::run("greetings", async |lambda, environment: Environment| match lambda {
//!         "greet" => {
//!             let router = Router::new().route("/v1/greeting", get(async || "hello"));
//!             environment.serve(router).await
//!         }
//!         "sweep" => invocation::run(async |_: Value, _| Ok(())).await,
//!         _ => Err(program::unknown(lambda)),
//!     })
//! }
//! ```
//!
//! The program runs on one thread. Lambda gives an environment one invocation at a time, and less than
//! one processor below 1,769 MB, so more threads would only cost context switches. Use
//! [`tokio::task::spawn_blocking`] for work that blocks.

use aws_config::SdkConfig;
use axum::Router;
use secrecy::SecretString;

use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::var;
use crate::error::Error;
use crate::http::ProblemPage;
use crate::id::Ids;
use crate::idempotency::Records;
use crate::queue::Queue;
use crate::rate_limit::RateLimiter;
use crate::webhook::Courier;
use crate::{Result, aws, http, telemetry};

/// The variable in which Lambda passes the template's `Handler`.
const HANDLER: &str = "_HANDLER";

/// Runs the Lambda of `system` that `Handler` names; `start` maps the names of the system's Lambdas to
/// their code.
///
/// # Errors
/// When the variable `_HANDLER` is missing; the errors of `start`.
pub fn run(
    system: &'static str,
    start: impl AsyncFnOnce(&str, Environment) -> Result<()>,
) -> Result<()> {
    telemetry::init(system);
    let lambda: String = var(HANDLER)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async { start(&lambda, Environment::load().await).await })
}

/// The error for a handler that the system does not have.
#[must_use]
pub fn unknown(lambda: &str) -> Error {
    Error::internal(format!("the program has no Lambda {lambda:?}; see the template's Handler"))
}

/// The environment of a function: AWS, and the variables that several systems read. Each system
/// reads its own variables in its `system.rs`.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The configuration of AWS clients.
    pub aws: SdkConfig,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The clock.
    pub clock: Clock,
}

impl Environment {
    async fn load() -> Self {
        let aws = aws::load().await;
        Self { dynamodb: aws_sdk_dynamodb::Client::new(&aws), aws, clock: Clock::System }
    }

    /// Runs an HTTP endpoint that uses DynamoDB: opens the connection first, so that no request waits
    /// for it.
    ///
    /// # Errors
    /// When the Runtime API cannot be reached.
    pub async fn serve(&self, router: Router) -> Result<()> {
        self.connect().await;
        http::serve(router).await
    }

    /// The same for an HTTP endpoint of pages: see [`http::page_app`].
    ///
    /// # Errors
    /// When the Runtime API cannot be reached.
    pub async fn serve_pages(&self, router: Router, page_of: ProblemPage) -> Result<()> {
        self.connect().await;
        http::serve_pages(router, page_of).await
    }

    /// Opens the connection to DynamoDB: see [`aws::connect`].
    pub async fn connect(&self) {
        aws::connect(&self.dynamodb).await;
    }

    /// The source of new ids.
    #[must_use]
    pub fn ids(&self) -> Ids {
        Ids::random(self.clock.clone())
    }

    /// The table of idempotency records, rate limits and budgets: `REQUESTS_TABLE`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn requests_table(&self) -> Result<String> {
        Ok(var("REQUESTS_TABLE")?)
    }

    /// The idempotency records.
    ///
    /// # Errors
    /// As for [`requests_table`](Self::requests_table).
    pub fn records(&self) -> Result<Records> {
        Ok(Records::new(self.dynamodb.clone(), self.requests_table()?, self.clock.clone()))
    }

    /// The rate limiter.
    ///
    /// # Errors
    /// As for [`requests_table`](Self::requests_table).
    pub fn limiter(&self) -> Result<RateLimiter> {
        Ok(RateLimiter::new(self.dynamodb.clone(), self.requests_table()?, self.clock.clone()))
    }

    /// The client that posts webhooks. `TRUST_PRIVATE_WEBHOOKS` is `true` only on a local stack.
    ///
    /// # Errors
    /// When the variable is missing or invalid.
    pub fn courier(&self) -> Result<Courier> {
        Courier::new(var("TRUST_PRIVATE_WEBHOOKS")?)
    }

    /// The queue whose URL is in `variable`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn queue(&self, variable: &'static str) -> Result<Queue> {
        Ok(Queue::new(aws_sdk_sqs::Client::new(&self.aws), var(variable)?))
    }

    /// The bus on which the system publishes its events, as `source`: `EVENT_BUS`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn bus(&self, source: &'static str) -> Result<Bus> {
        let client = aws_sdk_eventbridge::Client::new(&self.aws);
        Ok(Bus::new(client, var("EVENT_BUS")?, source))
    }

    /// The dead-letter queue of the function's own queue or stream: `DEAD_LETTERS_URL`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn dead_letters(&self) -> Result<Queue> {
        self.queue("DEAD_LETTERS_URL")
    }

    /// The current text of the secret whose ARN or name is in `variable`. After a change of the secret,
    /// the old value must stay valid until the functions have restarted.
    ///
    /// # Errors
    /// When the variable is missing, the secret cannot be read, or it is empty.
    pub async fn secret(&self, variable: &'static str) -> Result<SecretString> {
        let client = aws_sdk_secretsmanager::Client::new(&self.aws);
        let id: String = var(variable)?;
        let secret = client.get_secret_value().secret_id(id).send().await?;
        let text = secret.secret_string.filter(|text| !text.is_empty());
        let missing = || Error::internal(format!("the secret of {variable} has no value"));
        Ok(text.ok_or_else(missing)?.into())
    }
}
