//! `/auth/sign-in-code`: the second step of a sign-in, for a user with a second factor.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use shared::http::rate_limit::limited;
use shared::problem::Problem;
use shared::{Error, Result};

use super::super::layout::page_toward;
use super::super::message::{Message, SIGN_IN};
use super::super::next::Next;
use super::By;
use crate::api::codes::WRONG_CODE;
use crate::api::login_code::limit;
use crate::api::sign_in::{INVALID_CHALLENGE, checked_code};
use crate::form::Form;
use crate::second_factor::Code;
use crate::session::Client;
use crate::store::Account;
use crate::system::System;
use crate::token::{Issuer, Issuers};

const PATH: &str = "/auth/sign-in-code";

/// The page.
#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct SignInCode<'a> {
    next: &'a Next,
    challenge: &'a str,
    /// The way to the other pages.
    root: &'static str,
    /// Whether the user has passkeys.
    has_passkeys: bool,
    /// Whether the code was wrong.
    is_refused: bool,
}

/// The page's router.
pub(super) fn router(state: &System, issuers: &Issuers) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    limited(sent.layer(Extension(issuers.clone())), limit(state))
}

/// Asks for the code, or for a passkey if the user has some, on a page that is `root` away from the others.
pub(in super::super) fn ask(
    next: &Next,
    challenge: &str,
    (has_passkeys, root): (bool, &'static str),
) -> Result<Response> {
    let page = SignInCode { next, challenge, root, has_passkeys, is_refused: false };
    page_toward(StatusCode::OK, &page, &next.target())
}

async fn send(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
    client: Client,
    form: Form,
) -> Result<Response> {
    let next = match Next::read(&state, &form).await? {
        Ok(next) => next,
        Err(nowhere) => return nowhere.page(),
    };
    let issuer = issuers.current().await?;
    match account(&state, &issuer, &form).await {
        Ok(account) => {
            let by = By { state: &state, issuer: &issuer, headers: &headers, root: "" };
            by.signed_in(&next, &account, client).await
        }
        Err(Error::Problem(problem)) if problem.is(WRONG_CODE) => {
            let has_passkeys = form.text("has_passkeys") == "true";
            let challenge = form.text("challenge");
            let page =
                SignInCode { next: &next, challenge, root: "", has_passkeys, is_refused: true };
            page_toward(StatusCode::UNPROCESSABLE_ENTITY, &page, &next.target())
        }
        Err(Error::Problem(problem)) if problem.is(INVALID_CHALLENGE) => expired(&problem),
        Err(error) => Err(error),
    }
}

/// The account of a user who has given the right code.
async fn account(state: &System, issuer: &Issuer, form: &Form) -> Result<Account> {
    let code = Code::try_from(form.secret("code")).map_err(|_| Problem::of(WRONG_CODE))?;
    checked_code(state, issuer, &form.secret("challenge"), &code).await
}

/// The page of a sign-in that has taken too long.
pub(super) fn expired(problem: &Problem) -> Result<Response> {
    let message = Message {
        title: "The sign-in has expired",
        text: "A code and a passkey can be given for 5 minutes. Go back to the application or the device, or sign in again.",
        link: Some(SIGN_IN),
        ..Message::default()
    };
    page_toward(problem.status(), &message, "")
}
