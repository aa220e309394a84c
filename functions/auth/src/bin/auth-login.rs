//! `POST /v1/auth/login`

use auth::api::login::{Login, router};
use auth::keys::PrivateKeys;
use auth::store::Users;
use auth::token::Issuer;
use shared::clock::Clock;
use shared::id::Ids;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("auth");
    let aws = shared::aws::load().await;
    let secret_id = shared::config::var("SIGNING_KEY_SECRET")?;
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let key = PrivateKeys::new(secrets, secret_id).current().await?;
    shared::http::serve(router(Login {
        users: Users::new(aws_sdk_dynamodb::Client::new(&aws), shared::config::var("AUTH_TABLE")?),
        issuer: Issuer::new(shared::config::var("TOKEN_ISSUER")?, &key)?,
        ids: Ids::random(Clock::System),
        clock: Clock::System,
    }))
    .await
}
