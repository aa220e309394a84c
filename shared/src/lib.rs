//! What every Arsenal function needs, and nothing that only one needs: a toolkit for AWS Lambda in Rust.
//!
//! Each module says first what it guarantees. A function is a few lines of wiring:
//!
//! ```no_run
//! use axum::{Router, routing::post};
//! use shared::clock::Clock;
//! use shared::config::var;
//! use shared::http::idempotency;
//! use shared::idempotency::Records;
//!
//! #[tokio::main]
//! async fn main() -> shared::Result<()> {
//!     shared::telemetry::init("greetings");
//!     let aws = shared::aws::load().await;
//!     let client = shared::aws::dynamodb(&aws).await;
//!     let records = Records::new(client, var("REQUESTS_TABLE")?, Clock::System);
//!     let router = Router::new().route("/v1/greetings", post(async || "hello"));
//!     shared::http::serve(idempotency::wrapped(router, records)).await
//! }
//! ```
//!
//! | module | gives |
//! |---|---|
//! | [`idempotency`], [`http::idempotency`] | work that is asked for many times and done once; the `Idempotency-Key` header |
//! | [`webhook`] | messages to servers of others: signed, tried again, logged, sent again on demand |
//! | [`outbound`] | the HTTP client for servers outside of AWS, with a guard for URLs that users name |
//! | [`mod@write`], [`transaction`], [`conflict`] | writes to DynamoDB, one or several together, and what gets in their way |
//! | [`batch`], [`queue`], [`backoff`] | SQS, DynamoDB streams and Kinesis: every record stands or falls alone; sending to SQS |
//! | [`due`] | items that must be looked at by a certain time |
//! | [`rate_limit`], [`http::rate_limit`] | limits that are exact over all instances |
//! | [`fault`] | crashes, stalls and lost answers on purpose, for tests |
//! | [`telemetry`], [`trace`] | logs, metrics and traces |
//! | [`invocation`], [`aws`], [`cached`], [`config`] | running a function: clients, time-outs, parameters and secrets |
//! | [`http`], [`problem`], [`error`] | axum on API Gateway; what a caller is told (RFC 9457), and what only the log is told |
//! | [`id`], [`clock`] | sortable ids that say what they are, and the time; tests can set both |
//!
//! The features `failpoints` (tests only; a release build with it does not compile) and `otlp` (traces
//! to a collector) are off unless asked for.

#[cfg(all(feature = "failpoints", not(debug_assertions)))]
compile_error!("`failpoints` is for tests, and must not be in a release");

pub mod aws;
pub mod backoff;
pub mod batch;
pub mod budget;
pub mod cached;
pub mod clock;
pub mod config;
pub mod conflict;
pub mod due;
pub mod error;
pub mod fault;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod invocation;
pub mod lease;
pub mod outbound;
pub mod problem;
pub mod program;
pub mod queue;
pub mod rate_limit;
pub mod scopes;
pub mod table;
pub mod telemetry;
pub mod trace;
pub mod transaction;
pub mod webhook;
pub mod write;

pub use error::{Error, Result};
