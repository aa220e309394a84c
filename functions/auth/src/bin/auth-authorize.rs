//! API Gateway's authorizer.

use auth::authorize::authorize;
use auth::keys::PublicKeys;
use auth::token::Verifier;
use jiff::Timestamp;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("auth");
    let aws = shared::aws::load().await;
    let parameter = shared::config::var("PUBLIC_KEYS_PARAMETER")?;
    let issuer: String = shared::config::var("TOKEN_ISSUER")?;
    let keys = PublicKeys::new(aws_sdk_ssm::Client::new(&aws), parameter).get().await?;
    let verifier = Verifier::new(&issuer, keys);
    shared::invocation::run(async |request, _| Ok(authorize(&request, &verifier, Timestamp::now())))
        .await
}
