//! Sends mails with Amazon SES.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use shared::Result;
use shared::batch::Failure;
use shared::fault::point;

use crate::email::Email;

/// A mail to one address, in plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The receiver.
    pub to: Email,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Sends mails.
#[derive(Clone, Debug)]
pub struct Mailer {
    client: Client,
    from: String,
}

impl Mailer {
    /// Sends from the address `from`, which must be verified in SES.
    #[must_use]
    pub fn new(client: Client, from: String) -> Self {
        Self { client, from }
    }

    /// Sends a mail. Without an answer of SES, it may have been sent.
    ///
    /// # Errors
    /// A permanent failure when SES refuses the mail: the receiver or the sender is not acceptable.
    pub async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let body = Body::builder().text(text(&mail.text)?).build();
        let message = Message::builder().subject(text(&mail.subject)?).body(body).build();
        let request = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(mail.to.to_string()).build())
            .content(EmailContent::builder().simple(message).build());
        match point("mail.send", || request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) if is_refusal(&error) => Err(Failure::Permanent(error.into())),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether SES will not take the same mail later either.
fn is_refusal(error: &SdkError<SendEmailError>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.is_bad_request_exception()
            || error.is_message_rejected()
            || error.is_mail_from_domain_not_verified_exception()
    })
}
