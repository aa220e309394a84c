//! The mails that the local AWS has sent.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use serde::Deserialize;

use crate::{endpoint, eventually};

/// How long a mail may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mail {
    /// The sender's address.
    pub source: String,
    /// The receivers.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body_text: String,
}

impl Mail {
    /// The token of the mail's link.
    #[must_use]
    pub fn token(&self) -> &str {
        let (_, rest) = self.body_text.split_once("?token=").expect("the mail has a link");
        rest.split_whitespace().next().unwrap()
    }
}

/// The mails that an account has sent to an address, oldest first.
pub async fn mails_to(aws: &SdkConfig, address: &str) -> Vec<Mail> {
    #[derive(Deserialize)]
    struct Answer {
        messages: std::collections::HashMap<String, Vec<Mail>>,
    }
    let credentials = aws.credentials_provider().unwrap().provide_credentials().await.unwrap();
    // The account of an access key that is no account id.
    let account = match credentials.access_key_id() {
        id if id.len() == 12 => id.to_owned(),
        _ => "0".repeat(12),
    };
    let url = format!("{}/_ministack/ses/messages?account={account}", endpoint());
    let answer: Answer = reqwest::get(url).await.unwrap().json().await.unwrap();
    let is_theirs = |mail: &Mail| mail.to.iter().any(|to| to == address);
    answer.messages.into_values().flatten().filter(is_theirs).collect()
}

/// Waits for mail number `number` to an address, counted from 1.
pub async fn mail_to(aws: &SdkConfig, address: &str, number: usize) -> Mail {
    let what = format!("mail {number} to {address}");
    eventually(&what, PATIENCE, async || mails_to(aws, address).await.into_iter().nth(number - 1))
        .await
}
