//! `/auth/passkeys`: a user who is signed in sees, adds and removes passkeys.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::http::rate_limit::limited;
use shared::problem::Problem;
use shared::{Error, Result};

use super::asked::see_other;
use super::browser::{Browser, signed_in};
use super::fields::PasswordField;
use super::layout::{page, page_with_script};
use super::next::Next;
use super::sign_in;
use crate::api::current_password::{WRONG_PASSWORD, limit};
use crate::api::passkeys::{By, INVALID_PASSKEY};
use crate::api::recent::SIGN_IN_TOO_OLD;
use crate::form::Form;
use crate::passkey::{Passkey, PasskeyId, PasskeyName};
use crate::session::Client;
use crate::system::System;
use crate::token::{Issuer, Issuers};

const PATH: &str = "/auth/passkeys";
/// The page, as others link to it.
const PAGE: &str = "passkeys";

/// The list, with the form of a new passkey.
#[derive(Template)]
#[template(path = "passkeys.html")]
struct Passkeys<'a> {
    email: &'a str,
    kept: &'a [Passkey],
    name: &'a str,
    name_error: Option<String>,
    /// Whether the password was wrong.
    is_refused: bool,
}

impl Passkeys<'_> {
    /// The day of a time, in UTC.
    fn day(at: &Timestamp) -> String {
        at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
    }
}

/// The page on which the browser makes a passkey.
#[derive(Template)]
#[template(path = "add_passkey.html")]
struct AddPasskey<'a> {
    name: &'a str,
    /// What the script needs.
    options: &'a str,
}

/// The page that asks before a removal.
#[derive(Template)]
#[template(path = "remove_passkey.html")]
struct RemovePasskey<'a> {
    email: &'a str,
    id: PasskeyId,
    name: &'a str,
    /// Whether the password was wrong.
    is_refused: bool,
}

/// The page of recovery codes, which no other page has.
#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct Codes<'a> {
    codes: &'a [String],
}

/// The page's router.
pub(super) fn router(state: &System, issuers: &Issuers) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    let shown = Router::new().route(PATH, get(show)).with_state(state.clone());
    shown.merge(limited(sent, limit(state))).layer(Extension(issuers.clone()))
}

async fn show(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
) -> Result<Response> {
    let issuer = issuers.current().await?;
    let Some(browser) = signed_in(&state, &issuer, &headers, state.clock.now()).await? else {
        return sign_in::ask(&state, &Next::Passkeys, "");
    };
    let of = Of { state: &state, issuer: &issuer, browser: &browser };
    of.list(StatusCode::OK, "", None, false).await
}

async fn send(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
    client: Client,
    form: Form,
) -> Result<Response> {
    let issuer = issuers.current().await?;
    let Some(browser) = signed_in(&state, &issuer, &headers, state.clock.now()).await? else {
        return sign_in::ask(&state, &Next::Passkeys, "");
    };
    let of = Of { state: &state, issuer: &issuer, browser: &browser };
    let done = match form.text("action") {
        "begin" => of.begin(&form).await,
        "add" => of.add(&form, client).await,
        "choose" => of.choose(&form, false).await,
        "remove" => of.remove(&form).await,
        _ => of.list(StatusCode::OK, "", None, false).await,
    };
    match done {
        Err(Error::Problem(problem)) if problem.is(SIGN_IN_TOO_OLD) => {
            sign_in::ask(&state, &Next::Passkeys, browser.account.user.email.as_str())
        }
        done => done,
    }
}

/// The passkeys of a user, in the user's browser.
struct Of<'a> {
    state: &'a System,
    issuer: &'a Issuer,
    browser: &'a Browser,
}

impl Of<'_> {
    fn by(&self) -> By {
        By { user: self.browser.account.user.id, session: self.browser.session.id }
    }

    async fn list(
        &self,
        status: StatusCode,
        name: &str,
        name_error: Option<String>,
        is_refused: bool,
    ) -> Result<Response> {
        let user = &self.browser.account.user;
        let kept = &self.state.users.passkeys(user.id).await?;
        let email = user.email.as_str();
        page(status, &Passkeys { email, kept, name, name_error, is_refused })
    }

    /// Checks the password, and asks the browser for a new passkey.
    async fn begin(&self, form: &Form) -> Result<Response> {
        let (typed, status) = (form.text("name"), StatusCode::UNPROCESSABLE_ENTITY);
        let name = match PasskeyName::try_from(typed.to_owned()) {
            Ok(name) => name,
            Err(reason) => return self.list(status, typed, Some(reason.to_string()), false).await,
        };
        match self.by().begins(self.state, self.issuer, form.secret("password")).await {
            Ok(options) => {
                let options = &serde_json::to_string(&options)?;
                let add = AddPasskey { name: name.as_str(), options };
                page_with_script(StatusCode::OK, &add, "")
            }
            Err(Error::Problem(problem)) if problem.is(WRONG_PASSWORD) => {
                self.list(status, name.as_str(), None, true).await
            }
            Err(error) => Err(error),
        }
    }

    /// Adds the passkey that the browser has made.
    async fn add(&self, form: &Form, client: Client) -> Result<Response> {
        let name = PasskeyName::try_from(form.text("name").to_owned());
        let made = serde_json::from_str(form.text("credential"));
        let (Ok(name), Ok(made)) = (name, made) else {
            return Err(Problem::of(INVALID_PASSKEY).detail("Open the page again.").into());
        };
        let (_, codes) = self.by().adds(self.state, self.issuer, (name, &made), client).await?;
        match codes {
            Some(codes) => page(StatusCode::OK, &Codes { codes: codes.shown() }),
            None => Ok(see_other(PAGE)),
        }
    }

    /// Asks before a removal. Without such a passkey, shows the list.
    async fn choose(&self, form: &Form, is_refused: bool) -> Result<Response> {
        let user = self.browser.account.user.id;
        let known = match form.text("passkey").parse() {
            Ok(id) => self.state.users.passkey(user, id).await?,
            Err(_) => None,
        };
        let Some(Passkey { id, name, .. }) = known else { return Ok(see_other(PAGE)) };
        let status = if is_refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        let email = self.browser.account.user.email.as_str();
        page(status, &RemovePasskey { email, id, name: name.as_str(), is_refused })
    }

    async fn remove(&self, form: &Form) -> Result<Response> {
        let Ok(id) = form.text("passkey").parse() else { return Ok(see_other(PAGE)) };
        match self.by().removes(self.state, id, form.secret("password")).await {
            Ok(()) => Ok(see_other(PAGE)),
            Err(Error::Problem(problem)) if problem.is(WRONG_PASSWORD) => {
                self.choose(form, true).await
            }
            Err(error) => Err(error),
        }
    }
}
