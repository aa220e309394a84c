//! `/auth/sign-in`: a user gives the password in a browser, for an application, for a device, for an invitation or without one. A
//! user with a second factor gives a code (`code`) or a passkey (`passkey`) after it.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use secrecy::ExposeSecret;
use shared::http::rate_limit::limited;
use shared::{Error, Result};

use super::asked::see_other;
use super::browser;
use super::fields::{EmailField, PasswordField};
use super::layout::page_toward;
use super::message::{Message, SIGN_OUT};
use super::next::Next;
use super::{authorize, cross_site, device, join, passkey_script, passkeys, sign_out};
use crate::api::login::limit;
use crate::api::sign_in::{Checked, INVALID_CREDENTIALS, begun, checked_password};
use crate::form::Form;
use crate::provider::Provider;
use crate::session::{Client, Reason};
use crate::store::Account;
use crate::system::System;
use crate::token::{Issuer, Issuers};

pub(super) mod code;
mod passkey;

const PATH: &str = "/auth/sign-in";

/// The page.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    next: &'a Next,
    email: EmailField,
    /// Whether the address or the password was wrong.
    is_refused: bool,
    providers: &'a [Provider],
    /// Why a provider has not signed the user in.
    notice: Option<&'a str>,
    /// The way to the other pages.
    root: &'static str,
}

/// The router of the pages on which a user signs in, allows an application or a device, changes passkeys, and signs out.
pub fn router(state: &System, issuers: &Issuers) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    let sent = limited(sent.layer(Extension(issuers.clone())), limit(state));
    Router::new()
        .route(PATH, get(show).with_state(state.clone()))
        .merge(sent)
        .merge(code::router(state, issuers))
        .merge(passkey::router(state, issuers))
        .merge(passkeys::router(state, issuers))
        .merge(passkey_script::router())
        .merge(authorize::router(state, issuers))
        .merge(device::router(state, issuers))
        .merge(join::router(state, issuers))
        .merge(sign_out::router(state, issuers))
        // Around the limits, so that a form of another site uses nobody's share.
        .layer(from_fn(cross_site::check))
}

/// Asks for the password, before the browser goes on.
pub(super) fn ask(state: &System, next: &Next, login_hint: &str) -> Result<Response> {
    let email = EmailField { value: login_hint.to_owned(), error: None };
    page_toward(StatusCode::OK, &page(state, next, email), &next.target())
}

/// Asks how to sign in, after a provider has not signed the user in. The page is `root` away from the others.
pub(super) fn ask_again(
    state: &System,
    next: &Next,
    (status, notice): (StatusCode, &str),
    root: &'static str,
) -> Result<Response> {
    let asked = page(state, next, EmailField::default());
    page_toward(status, &SignIn { notice: Some(notice), root, ..asked }, &next.target())
}

fn page<'a>(state: &'a System, next: &'a Next, email: EmailField) -> SignIn<'a> {
    let providers = state.providers.all();
    SignIn { next, email, is_refused: false, providers, notice: None, root: "" }
}

async fn show(State(state): State<System>) -> Result<Response> {
    ask(&state, &Next::Here, "")
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
    let refused = |email, is_refused| {
        let page = SignIn { is_refused, ..page(&state, &next, email) };
        page_toward(StatusCode::UNPROCESSABLE_ENTITY, &page, &next.target())
    };
    let email = match EmailField::read(&form) {
        Ok(email) => email,
        Err(email) => return refused(email, false),
    };
    let issuer = issuers.current().await?;
    match checked_password(&state, &email, form.secret("password")).await {
        Ok(Checked::Account(account)) => {
            let by = By { state: &state, issuer: &issuer, headers: &headers, root: "" };
            by.signed_in(&next, &account, client).await
        }
        Ok(Checked::Challenge { challenge, has_passkeys }) => {
            let challenge = issuer.challenges().write(&challenge);
            code::ask(&next, challenge.expose_secret(), (has_passkeys, ""))
        }
        Err(Error::Problem(problem)) if problem.is(INVALID_CREDENTIALS) => {
            let value = form.text("email").to_owned();
            refused(EmailField { value, error: None }, true)
        }
        Err(error) => Err(error),
    }
}

/// A browser whose user has proved who it is.
pub(super) struct By<'a> {
    pub(super) state: &'a System,
    pub(super) issuer: &'a Issuer,
    pub(super) headers: &'a HeaderMap,
    /// The way from the page to the others.
    pub(super) root: &'static str,
}

impl By<'_> {
    /// Begins a session, and sends the browser on.
    pub(super) async fn signed_in(
        &self,
        next: &Next,
        account: &Account,
        client: Client,
    ) -> Result<Response> {
        let session = begun(self.state, account, client).await?;
        // The browser forgets the session before.
        if let Some(former) = browser::token(self.issuer, self.headers) {
            let (users, now) = (&self.state.users, session.created_at);
            users.end_session(former.user, former.session, Reason::SignedOut, now).await?;
        }
        let next = match next.url() {
            Some(url) => see_other(&format!("{}{url}", self.root)),
            None => signed_in(account.user.email.as_str(), self.root)?,
        };
        Ok(([browser::keep(self.issuer, &session)?], next).into_response())
    }
}

fn signed_in(email: &str, root: &'static str) -> Result<Response> {
    let text = format!("You are signed in as {email} in this browser, for the next 14 days.");
    let message = Message {
        title: "You are signed in",
        text: &text,
        link: Some(SIGN_OUT),
        root,
        ..Message::default()
    };
    page_toward(StatusCode::OK, &message, "")
}
