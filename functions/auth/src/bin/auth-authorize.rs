//! API Gateway's authorizer.

use std::time::Duration;

use auth::authorize::authorize;
use auth::keys::PublicKeys;
use auth::token::Verifier;
use jiff::Timestamp;
use shared::cached::Cached;
use shared::clock::Clock;
use shared::config::var;

/// How long the public keys are kept before they are fetched again.
const KEYS_KEPT: Duration = Duration::from_mins(5);

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("auth");
    let aws = shared::aws::load().await;
    let issuer: String = var("TOKEN_ISSUER")?;
    let keys = PublicKeys::new(aws_sdk_ssm::Client::new(&aws), var("PUBLIC_KEYS_PARAMETER")?);
    let cached = Cached::new(KEYS_KEPT, Clock::System);
    let fetch = async || Ok(Verifier::new(&issuer, keys.get().await?));
    cached.get(fetch).await?;
    shared::invocation::run(async |request, _| {
        Ok(authorize(&request, cached.get(fetch).await?.as_ref(), Timestamp::now()))
    })
    .await
}
