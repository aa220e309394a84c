//! What the endpoints about links in mails share, with each other and with the pages that do the same.

use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::rate_limit::Limit;
use shared::http::{INVALID_BODY, Json, StatusCode};
use shared::problem::{Problem, ProblemType};
use shared::queue::Queue;
use utoipa::ToSchema;

use crate::email::Email;
use crate::link::{self, LinkToken};
use crate::password::NewPassword;
use crate::send_mail::{Job, Wanted};
use crate::system::System;

/// An e-mail address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    pub(super) email: Email,
}

/// The answer to a request for a mail. It is the same for every address, with and without an account.
#[derive(Serialize, ToSchema)]
pub(super) struct MailRequested {
    /// The address that gets a mail, in the form in which we keep it.
    email: Email,
    /// How long the link of the mail can be used, in seconds.
    #[schema(minimum = 0)]
    expires_in: u64,
}

/// The token of a link, and the password that the user wants.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChosenPassword {
    /// What the link in the mail ends with.
    pub(crate) token: LinkToken,
    pub(crate) password: NewPassword,
}

/// The token is good for nothing. The answer does not tell an unknown link from a used one.
pub(crate) const INVALID_LINK: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-link",
    "The link was used or has expired",
);

/// The refusal of a token.
pub(super) fn invalid_link() -> Problem {
    Problem::of(INVALID_LINK).field("token", "ask for another mail, or sign in")
}

/// Queues a mail. The request reads nothing about the address, so neither its answer nor its time depends on an account.
pub(crate) async fn request_mail(mails: &Queue, wanted: Wanted, email: &Email) -> Result<()> {
    if !email.as_str().is_ascii() {
        let detail = "no mail can be sent to a name with characters outside ASCII";
        return Err(Problem::of(INVALID_BODY).field("email", detail).into());
    }
    mails.send(&Job::V1 { wanted, email: email.clone() }).await
}

/// The answer to a request for a mail.
pub(super) fn requested(email: Email) -> (StatusCode, Json<MailRequested>) {
    let answer = MailRequested { email, expires_in: link::LIFETIME.as_secs() };
    (StatusCode::ACCEPTED, Json(answer))
}

/// The limit of uses of links: confirmations and resets together, each of which hashes a password.
pub(crate) fn confirmations(state: &System) -> Limit {
    state.per_address("confirmations", 1)
}
