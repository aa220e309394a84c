//! What every Arsenal function needs, and nothing that only one needs.
//!
//! | module | gives |
//! |---|---|
//! | [`config`] | environment variables as typed values; a missing or bad one names itself |
//! | [`aws`] | the AWS configuration with time-outs and retries set, loaded once at cold start |
//! | [`telemetry`] | JSON logs on standard output, in the field names of Powertools for AWS Lambda |
//! | [`invocation`] | running a function, and what is known of the invocation under way |
//! | [`problem`], [`error`] | what a caller is told (RFC 9457), and what only the log is told |
//! | [`http`] | axum on API Gateway: extractors whose errors name the field, the signed-in user |
//! | [`batch`] | SQS batches with partial failures |
//! | [`id`], [`clock`] | sortable ids that say what they are, and the time; tests can set both |

#[cfg(all(feature = "failpoints", not(debug_assertions)))]
compile_error!("`failpoints` is for tests, and must not be in a release");

pub mod aws;
pub mod backoff;
pub mod batch;
pub mod cached;
pub mod clock;
pub mod config;
pub mod error;
pub mod fault;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod invocation;
pub mod problem;
pub mod queue;
pub mod rate_limit;
pub mod telemetry;
pub mod trace;

pub use error::{Error, Result};
