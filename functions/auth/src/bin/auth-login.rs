//! `POST /v1/auth/login`

use auth::api::login::{Login, router};
use auth::api::per_address;
use auth::keys::PrivateKeys;
use auth::store::Users;
use auth::token::Issuer;
use shared::clock::Clock;
use shared::config::var;
use shared::http::rate_limit::limited;
use shared::id::Ids;
use shared::rate_limit::RateLimiter;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("auth");
    let aws = shared::aws::load().await;
    let secret_id = var("SIGNING_KEY_SECRET")?;
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let key = PrivateKeys::new(secrets, secret_id).current().await?;
    let client = shared::aws::dynamodb(&aws).await;
    let login = Login {
        users: Users::new(client.clone(), var("AUTH_TABLE")?),
        issuer: Issuer::new(var("TOKEN_ISSUER")?, &key)?,
        ids: Ids::random(Clock::System),
        clock: Clock::System,
    };
    let limiter = RateLimiter::new(client, var("REQUESTS_TABLE")?, Clock::System);
    let limit = per_address("sign-ins", var("SIGN_INS_PER_MINUTE")?, limiter);
    shared::http::serve(limited(router(login), limit)).await
}
