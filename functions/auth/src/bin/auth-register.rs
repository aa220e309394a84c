//! `POST /v1/auth/register`

use auth::api::per_address;
use auth::api::register::{Register, router};
use auth::store::Users;
use shared::clock::Clock;
use shared::config::var;
use shared::http::rate_limit::limited;
use shared::id::Ids;
use shared::rate_limit::RateLimiter;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("auth");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let register = Register {
        users: Users::new(client.clone(), var("AUTH_TABLE")?),
        ids: Ids::random(Clock::System),
        clock: Clock::System,
    };
    let limiter = RateLimiter::new(client, var("REQUESTS_TABLE")?, Clock::System);
    let limit = per_address("registrations", var("SIGN_INS_PER_MINUTE")?, limiter);
    shared::http::serve(limited(router(register), limit)).await
}
