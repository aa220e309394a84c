//! The HTTP endpoints.

pub mod login;
pub mod register;

use std::time::Duration;

use shared::http::rate_limit::{Limit, Subject, Unavailable};
use shared::rate_limit::{Quota, RateLimiter};

/// Limits what one address may try of `name`: guessing takes many tries, and each costs us a password
/// hash. If nobody can decide, nobody gets in; without DynamoDB nobody would anyway.
#[must_use]
pub fn per_address(name: &'static str, per_minute: u32, limiter: RateLimiter) -> Limit {
    Limit {
        limiter,
        quota: Quota::new(name, per_minute, Duration::from_mins(1)),
        subject: Subject::SourceIp,
        unavailable: Unavailable::Refuse,
    }
}
