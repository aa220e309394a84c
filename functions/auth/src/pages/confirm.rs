//! `/auth/confirm?token=…`: creates an account, with the address that the link was sent to.

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
use super::message::{FORGOT_PASSWORD, Message, REGISTER};
use crate::api::confirm::{EMAIL_TAKEN, confirm};
use crate::api::links::{ChosenPassword, INVALID_LINK, confirmations};
use crate::form::Form;
use crate::link::{Link, Purpose};
use crate::session::Client;
use crate::system::System;

const PATH: &str = "/auth/confirm";

#[derive(Debug, Template)]
#[template(path = "confirm.html")]
struct Confirm<'a> {
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
        Some((token, Link { email, purpose: Purpose::Register, .. })) => {
            let (token, email) = (token.expose(), email.as_str());
            page(StatusCode::OK, &Confirm { token, email, password: PasswordField::default() })
        }
        _ => link::invalid(REGISTER),
    }
}

async fn send(State(state): State<System>, client: Client, form: Form) -> Result<Response> {
    let Some(token) = link::in_form(&form) else { return link::invalid(REGISTER) };
    let password = match PasswordField::read(&form) {
        Ok(password) => password,
        Err(password) => return again(&form, password),
    };
    match confirm(&state, ChosenPassword { token, password }, client).await {
        Ok(user) => exists(user.email.as_str()),
        Err(Error::Problem(problem)) if problem.is(INVALID_LINK) => link::invalid(REGISTER),
        Err(Error::Problem(problem)) if problem.is(EMAIL_TAKEN) => existed(problem.status()),
        Err(error) => again(&form, PasswordField::refused(error)?),
    }
}

/// The form again, with what the link gave to it.
fn again(form: &Form, password: PasswordField) -> Result<Response> {
    let again = Confirm { token: form.text("token"), email: form.text("email"), password };
    page(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

fn exists(email: &str) -> Result<Response> {
    let text = format!("You can sign in now, with {email} and your password.");
    let message = Message { title: "Your account exists", text: &text, ..Message::default() };
    page(StatusCode::OK, &message)
}

fn existed(status: StatusCode) -> Result<Response> {
    let message = Message {
        title: "You have an account already",
        text: "Sign in with its password. If you do not know it any more, choose a new one.",
        link: Some(FORGOT_PASSWORD),
        ..Message::default()
    };
    page(status, &message)
}
