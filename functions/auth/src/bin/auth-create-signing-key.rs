//! The custom resource that makes the signing key.

use auth::create_signing_key::CreateSigningKey;
use auth::keys::{PrivateKeys, PublicKeys};

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("auth");
    let aws = shared::aws::load().await;
    let secret_id = shared::config::var("SIGNING_KEY_SECRET")?;
    let parameter = shared::config::var("PUBLIC_KEYS_PARAMETER")?;
    let task = CreateSigningKey {
        private: PrivateKeys::new(aws_sdk_secretsmanager::Client::new(&aws), secret_id),
        public: PublicKeys::new(aws_sdk_ssm::Client::new(&aws), parameter),
    };
    shared::invocation::run(async |request, _| task.handle(request).await).await
}
