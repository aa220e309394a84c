//! `POST /v1/auth/forgot-password`

use axum::{Extension, Router};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use shared::queue::Queue;

use super::links::{Address, MailRequested, request_mail, requested};
use crate::send_mail::Wanted;
use crate::system::System;

/// The endpoint's router. It sends jobs to `mails`.
pub fn router(state: &System, mails: Queue) -> Router {
    limited(contract::route!(handle).layer(Extension(mails)), limit(state))
}

/// The limit of requests, to the endpoint and to its page together.
pub(crate) fn limit(state: &System) -> Limit {
    state.per_address("password-resets", 1)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<MailRequested>(StatusCode::ACCEPTED)
}

/// Asks for a new password. A mail to the address has a link, with which its owner chooses the password
/// (`POST /v1/auth/reset-password`). If the address has no account, the mail says so. The answer is the same.
#[utoipa::path(post, path = "/v1/auth/forgot-password")]
async fn handle(
    Extension(mails): Extension<Queue>,
    Json(Address { email }): Json<Address>,
) -> Result<(StatusCode, Json<MailRequested>)> {
    request_mail(&mails, Wanted::Password, &email).await?;
    Ok(requested(email))
}
