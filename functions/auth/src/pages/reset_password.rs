//! `/auth/reset-password?token=…`: sets the password of the account that the link was sent for.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use shared::http::rate_limit::limited;
use shared::{Error, Result};

use super::fields::PasswordField;
use super::layout::page;
use super::link;
use super::message::{FORGOT_PASSWORD, Message};
use crate::api::links::{ChosenPassword, INVALID_LINK, confirmations};
use crate::api::reset_password::reset;
use crate::form::Form;
use crate::link::{Link, Purpose};
use crate::session::Client;
use crate::system::System;

const PATH: &str = "/auth/reset-password";

#[derive(Debug, Template)]
#[template(path = "reset_password.html")]
struct ResetPassword<'a> {
    token: &'a str,
    email: &'a str,
    password: PasswordField,
}

/// The page's router.
pub(super) fn router(state: &System) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    let opened = Router::new().route(PATH, get(show)).with_state(state.clone());
    opened.merge(limited(sent, confirmations(state)))
}

async fn show(State(state): State<System>, RawQuery(query): RawQuery) -> Result<Response> {
    match link::opened(&state, query).await? {
        Some((token, Link { email, purpose: Purpose::Reset { .. }, .. })) => {
            let (token, email) = (token.expose(), email.as_str());
            page(
                StatusCode::OK,
                &ResetPassword { token, email, password: PasswordField::default() },
            )
        }
        _ => link::invalid(FORGOT_PASSWORD),
    }
}

async fn send(State(state): State<System>, client: Client, form: Form) -> Result<Response> {
    let Some(token) = link::in_form(&form) else { return link::invalid(FORGOT_PASSWORD) };
    let password = match PasswordField::read(&form) {
        Ok(password) => password,
        Err(password) => return again(&form, password),
    };
    match reset(&state, ChosenPassword { token, password }, client).await {
        Ok(()) => is_set(),
        Err(Error::Problem(problem)) if problem.is(INVALID_LINK) => link::invalid(FORGOT_PASSWORD),
        Err(error) => again(&form, PasswordField::refused(error)?),
    }
}

/// The form again, with what the link gave to it.
fn again(form: &Form, password: PasswordField) -> Result<Response> {
    let again = ResetPassword { token: form.text("token"), email: form.text("email"), password };
    page(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

fn is_set() -> Result<Response> {
    let message = Message {
        title: "Your password is set",
        text: "All your sessions have ended. Sign in with the new password.",
        ..Message::default()
    };
    page(StatusCode::OK, &message)
}
