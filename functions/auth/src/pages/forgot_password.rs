//! `/auth/forgot-password`: asks for a new password.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use shared::Result;
use shared::http::rate_limit::limited;
use shared::queue::Queue;

use super::fields::EmailField;
use super::layout::page;
use super::message::mail_is_coming;
use crate::api::{forgot_password, links};
use crate::form::Form;
use crate::send_mail::Wanted;
use crate::system::System;

const PATH: &str = "/auth/forgot-password";

#[derive(Debug, Default, Template)]
#[template(path = "forgot_password.html")]
struct ForgotPassword {
    email: EmailField,
}

/// The page's router. It sends jobs to `mails`.
pub(super) fn router(state: &System, mails: Queue) -> Router {
    let sent = Router::new().route(PATH, post(send)).layer(Extension(mails));
    Router::new().route(PATH, get(show)).merge(limited(sent, forgot_password::limit(state)))
}

async fn show() -> Result<Response> {
    page(StatusCode::OK, &ForgotPassword::default())
}

async fn send(Extension(mails): Extension<Queue>, form: Form) -> Result<Response> {
    let email = match EmailField::read(&form) {
        Ok(email) => email,
        Err(email) => return again(email),
    };
    match links::request_mail(&mails, Wanted::Password, &email).await {
        Ok(()) => mail_is_coming(&email),
        Err(error) => again(EmailField::refused(&form, error)?),
    }
}

fn again(email: EmailField) -> Result<Response> {
    page(StatusCode::UNPROCESSABLE_ENTITY, &ForgotPassword { email })
}
