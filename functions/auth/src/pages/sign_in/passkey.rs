//! `/auth/sign-in-passkey`: a sign-in by a passkey, alone or after the password.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use shared::http::rate_limit::limited;
use shared::problem::Problem;
use shared::{Error, Result};

use super::super::layout::page_with_script;
use super::super::next::Next;
use super::By;
use super::code::expired;
use crate::api::login_passkey::limit;
use crate::api::passkeys::{PASSKEY_REFUSED, checked_passkey, second_step, sign_in};
use crate::api::sign_in::INVALID_CHALLENGE;
use crate::form::Form;
use crate::session::Client;
use crate::system::System;
use crate::token::{Issuer, Issuers};

const PATH: &str = "/auth/sign-in-passkey";

/// The page.
#[derive(Template)]
#[template(path = "sign_in_passkey.html")]
struct SignInPasskey<'a> {
    next: &'a Next,
    /// The challenge of a sign-in with the password; empty for a sign-in by the passkey alone.
    challenge: &'a str,
    /// What the script needs.
    options: &'a str,
    /// Whether a passkey was refused.
    is_refused: bool,
}

/// The page's router.
pub(super) fn router(state: &System, issuers: &Issuers) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    limited(sent.layer(Extension(issuers.clone())), limit(state))
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
    let by = By { state: &state, issuer: &issuer, headers: &headers, root: "" };
    let credential = form.text("credential");
    if credential.is_empty() {
        return by.ask_for_passkey(&next, &form, StatusCode::OK);
    }
    let account = match serde_json::from_str(credential) {
        Ok(used) => checked_passkey(&state, &issuer, &used, &client).await,
        Err(_) => Err(Problem::of(PASSKEY_REFUSED).into()),
    };
    match account {
        Ok(account) => by.signed_in(&next, &account, client).await,
        Err(Error::Problem(problem)) if problem.is(PASSKEY_REFUSED) => {
            by.ask_for_passkey(&next, &form, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => Err(error),
    }
}

impl By<'_> {
    /// Asks for a passkey. The form has the challenge of a sign-in with the password, if there was one.
    fn ask_for_passkey(&self, next: &Next, form: &Form, status: StatusCode) -> Result<Response> {
        let challenge = form.text("challenge");
        let Some(options) = options(self.issuer, challenge, self.state)? else {
            return expired(&Problem::of(INVALID_CHALLENGE));
        };
        let is_refused = status != StatusCode::OK;
        let page = SignInPasskey { next, challenge, options: &options, is_refused };
        page_with_script(status, &page, &next.target())
    }
}

/// The options as JSON; `None` if the challenge is of no use any more.
fn options(issuer: &Issuer, challenge: &str, state: &System) -> Result<Option<String>> {
    let now = state.clock.now();
    let options = if challenge.is_empty() {
        sign_in(issuer, now)?
    } else {
        let Some(challenge) = issuer.challenges().read(challenge, now) else { return Ok(None) };
        second_step(issuer, &challenge, now)?
    };
    Ok(Some(serde_json::to_string(&options)?))
}
