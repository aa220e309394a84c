//! What every Arsenal function needs, and nothing that only one needs: a toolkit for AWS Lambda in Rust.
//!
//! The documentation of a module begins with its guarantees. A system is one program with a table of its
//! Lambdas:
//!
//! ```no_run
//! use axum::{Router, routing::post};
//! use shared::http::idempotency;
//! use shared::program::{self, Environment};
//!
//! fn main() -> shared::Result<()> {
//!     program::run("greetings", async |lambda, environment: Environment| match lambda {
//!         "greet" => {
//!             let router = Router::new().route("/v1/greetings", post(async || "hello"));
//!             environment.serve(idempotency::wrapped(router, environment.records()?)).await
//!         }
//!         _ => Err(program::unknown(lambda)),
//!     })
//! }
//! ```
//!
//! | module | content |
//! |---|---|
//! | [`program`], [`config`] | the program of a system: one binary, whose Lambda is chosen by `Handler`; variables |
//! | [`http`], [`problem`], [`error`] | axum on API Gateway; the error for the caller (RFC 9457) and the error for the log |
//! | [`http::contract`] | the OpenAPI document, from the handlers' own types |
//! | [`scopes`], [`policy`] | roles of users, and their scopes; whose things a request may touch |
//! | [`idempotency`], [`http::idempotency`] | repeated requests take effect once; the `Idempotency-Key` header |
//! | [`rate_limit`], [`http::rate_limit`], [`budget`] | limits in a time and in a day, exact over all instances |
//! | [`table`] | DynamoDB: keys, typed items, reads, pages |
//! | [`mod@write`], [`transaction`], [`conflict`] | single and joint writes to DynamoDB, and conflicts between them |
//! | [`lease`] | one attempt at an item at a time |
//! | [`due`] | items that must be checked at a certain time |
//! | [`batch`], [`queue`], [`backoff`] | SQS, DynamoDB streams and Kinesis: the failure of a record does not fail the others; sending to SQS |
//! | [`relay`], [`bus`] | the outbox: from a table's stream to queues, and to a bus that other systems subscribe to |
//! | [`audit`] | the audit log: chains of entries that nobody can change unseen |
//! | [`webhook`] | messages to servers of others: signed, retried, logged, sent again on demand |
//! | [`outbound`] | the HTTP client for servers outside of AWS, with a guard for URLs that users name |
//! | [`invocation`], [`aws`], [`cached`] | running a function: clients, time-outs, cached values |
//! | [`telemetry`], [`trace`] | logs, metrics and traces |
//! | [`fault`] | injected crashes, stalls and lost answers, for tests |
//! | [`id`], [`clock`] | sortable ids with a prefix, and the time; tests can set both |
//!
//! The features `failpoints` (tests only; a release build with it does not compile) and `otlp` (traces
//! to a collector) are off unless asked for.

#[cfg(all(feature = "failpoints", not(debug_assertions)))]
compile_error!("`failpoints` is for tests, and must not be in a release");

pub mod audit;
pub mod aws;
pub mod backoff;
pub mod batch;
pub mod budget;
pub mod bus;
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
pub mod policy;
pub mod problem;
pub mod program;
pub mod queue;
pub mod rate_limit;
pub mod relay;
pub mod scopes;
pub mod table;
pub mod telemetry;
pub mod trace;
pub mod transaction;
pub mod webhook;
pub mod write;

pub use error::{Error, Result};
