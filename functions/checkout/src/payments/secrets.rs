//! The provider's secrets, in Secrets Manager: its API key, and what it signs its webhooks with.

use aws_config::SdkConfig;
use secrecy::SecretString;
use shared::{Error, Result};

/// The secret `id`, as it is now. Whoever changes one lets the old one be good until the functions have
/// started anew.
pub async fn read(aws: &SdkConfig, id: String) -> Result<SecretString> {
    let client = aws_sdk_secretsmanager::Client::new(aws);
    let secret = client.get_secret_value().secret_id(id).send().await?;
    let text = secret.secret_string.filter(|text| !text.is_empty());
    Ok(text.ok_or_else(|| Error::internal("the provider's secret is not set"))?.into())
}
