//! `/auth/authorize`: a user allows an application to act for the user, or does not.
//!
//! **Guarantees.** A browser is sent only to an address that the application has registered. Who is signed in is asked before
//! anything is allowed, unless the application is one of ours, on a server of ours. What is allowed is what the page has shown, for the user whom
//! it has shown.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use jiff::Timestamp;
use shared::Result;
use shared::http::rate_limit::limited;

use super::asked::Asked;
use super::browser::{Browser, signed_in};
use super::layout::page_toward;
use super::next::Next;
use super::sign_in;
use crate::form::Form;
use crate::oauth::code::{Allowed, Code, LIFETIME};
use crate::oauth::error::{Code as ErrorCode, OAuthError};
use crate::oauth::request::{Prompt, Request};
use crate::oauth::scope::Scopes;
use crate::system::System;
use crate::token::{Issuer, Issuers};

const PATH: &str = "/auth/authorize";
/// How many times as many requests as sign-ins one address may send: applications ask again and again.
const REQUESTS: u32 = 20;

const LOGIN_REQUIRED: OAuthError = OAuthError::new(ErrorCode::LoginRequired, "nobody is signed in");
const CONSENT_REQUIRED: OAuthError =
    OAuthError::new(ErrorCode::ConsentRequired, "the user must be asked");
const DENIED: OAuthError = OAuthError::new(ErrorCode::AccessDenied, "the user has not allowed it");
const NO_SCOPE: OAuthError =
    OAuthError::new(ErrorCode::InvalidScope, "the user has none of these scopes");

/// The page that asks the user.
#[derive(Debug, Template)]
#[template(path = "authorize.html")]
struct Authorize<'a> {
    request: &'a str,
    application: &'a str,
    origin: &'a str,
    email: &'a str,
    user: &'a str,
    scopes: &'a str,
    allows: &'a [&'static str],
}

/// The page's router.
pub(super) fn router(state: &System, issuers: &Issuers) -> Router {
    let limit = state.per_address("authorizations", REQUESTS);
    let route = Router::new().route(PATH, get(show).post(send)).with_state(state.clone());
    limited(route.layer(Extension(issuers.clone())), limit)
}

async fn show(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let asked = match Asked::read(&state, query.as_deref().unwrap_or_default()).await? {
        Ok(asked) => asked,
        Err(nowhere) => return nowhere.page(),
    };
    let (issuer, now) = (issuers.current().await?, state.clock.now());
    let request = match Request::read(&asked.form, &asked.application) {
        Ok(request) => request,
        Err(error) => return Ok(asked.refused(&error, issuer.name())),
    };
    let browser = signed_in(&state, &issuer, &headers, now).await?;
    let browser = browser.filter(|it| !request.is_too_old(it.session.created_at, now));
    let Some(browser) = browser else {
        if request.prompt == Prompt::None {
            return Ok(asked.refused(&LOGIN_REQUIRED, issuer.name()));
        }
        return sign_in::ask(&state, &Next::of(asked), &request.login_hint);
    };
    let by = By { state: &state, issuer: &issuer, asked: &asked, browser: &browser, now };
    // What goes to the user's own machine may be asked for by any program there (RFC 8252, section 8.6).
    let is_ours = asked.application.is_first_party && asked.target.has_an_owner();
    if is_ours && request.prompt != Prompt::Consent {
        return by.allow(request).await;
    }
    if request.prompt == Prompt::None {
        return Ok(asked.refused(&CONSENT_REQUIRED, issuer.name()));
    }
    by.ask(&request, StatusCode::OK)
}

async fn send(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response> {
    let asked = match Asked::read(&state, form.text("request")).await? {
        Ok(asked) => asked,
        Err(nowhere) => return nowhere.page(),
    };
    let (issuer, now) = (issuers.current().await?, state.clock.now());
    let request = match Request::read(&asked.form, &asked.application) {
        Ok(request) => request,
        Err(error) => return Ok(asked.refused(&error, issuer.name())),
    };
    let browser = signed_in(&state, &issuer, &headers, now).await?;
    let browser = browser.filter(|it| !request.is_too_old(it.session.created_at, now));
    let Some(browser) = browser else {
        return sign_in::ask(&state, &Next::of(asked), &request.login_hint);
    };
    let by = By { state: &state, issuer: &issuer, asked: &asked, browser: &browser, now };
    match form.text("decision") {
        "allow" if by.is_what_the_page_showed(&form, &request) => by.allow(request).await,
        "deny" => Ok(asked.refused(&DENIED, issuer.name())),
        "switch" => sign_in::ask(&state, &Next::of(asked), ""),
        _ => by.ask(&request, StatusCode::UNPROCESSABLE_ENTITY),
    }
}

/// The request of an application, in the browser of a user who is signed in.
struct By<'a> {
    state: &'a System,
    issuer: &'a Issuer,
    asked: &'a Asked,
    browser: &'a Browser,
    now: Timestamp,
}

impl By<'_> {
    /// What the user can give of what is asked for.
    fn scopes(&self, request: &Request) -> Result<Scopes, OAuthError> {
        let scopes = request.scopes.of_user(&self.browser.account.user);
        if scopes.is_empty() { Err(NO_SCOPE) } else { Ok(scopes) }
    }

    /// Whether the page has shown this user and these scopes. Another user may have signed in in another tab since, and the
    /// user's roles may have changed.
    fn is_what_the_page_showed(&self, form: &Form, request: &Request) -> bool {
        let user = &self.browser.account.user;
        form.text("user") == user.id.to_string()
            && form.text("scopes") == request.scopes.of_user(user).to_string()
    }

    /// Asks the user.
    fn ask(&self, request: &Request, status: StatusCode) -> Result<Response> {
        let scopes = match self.scopes(request) {
            Ok(scopes) => scopes,
            Err(error) => return Ok(self.asked.refused(&error, self.issuer.name())),
        };
        let user = &self.browser.account.user;
        let target = &self.asked.target;
        let authorize = Authorize {
            request: &self.asked.query(),
            application: &self.asked.application.name,
            origin: &target.source(),
            email: user.email.as_str(),
            user: &user.id.to_string(),
            scopes: &scopes.to_string(),
            allows: &scopes.allows(),
        };
        page_toward(status, &authorize, &target.source())
    }

    /// Gives the application a code for what the user has allowed.
    async fn allow(&self, request: Request) -> Result<Response> {
        let scopes = match self.scopes(&request) {
            Ok(scopes) => scopes,
            Err(error) => return Ok(self.asked.refused(&error, self.issuer.name())),
        };
        let account = &self.browser.account;
        let allowed = Allowed {
            application: self.asked.application.id,
            redirect_uri: self.asked.form.text("redirect_uri").to_owned(),
            challenge: request.challenge,
            scopes,
            nonce: request.nonce,
            user: account.user.id,
            epoch: account.epoch,
            signed_in_at: self.browser.session.created_at,
            good_until: self.now + LIFETIME,
            began: None,
        };
        let code = Code::generate()?;
        self.state.users.add_code(&code, &allowed).await?;
        let application = allowed.application;
        tracing::info!(user_id = %account.user.id, %application, "allowed an application");
        Ok(self.asked.with_code(code.expose(), self.issuer.name()))
    }
}
