//! Sign-in at an outside provider: `POST /auth/sign-in-with` sends the browser there, and `GET /auth/callback/{provider}`
//! (`callback`) is where it comes back.
//!
//! **Guarantees.** Only our own form begins an attempt, and only the browser that began it ends it, once, within ten minutes: its
//! cookie has the attempt ([`Attempt`]). The browser is sent to the provider by a page that it opens, and not by the answer to the form: a
//! browser applies the rule of the page with the form (`form-action`) to all redirects that follow, and nobody knows all hosts to which
//! a provider redirects.

use askama::Template;
use axum::extract::State;
use axum::http::header::{REFRESH, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use shared::Result;
use shared::http::rate_limit::limited;
use shared::queue::Queue;

use super::layout::page;
use super::message::{Message, SIGN_IN};
use super::next::Next;
use super::{cross_site, sign_in};
use crate::form::Form;
use crate::provider::attempt::{LIFETIME, fits_in_a_cookie};
use crate::provider::{Attempt, Client, Clients, Failure};
use crate::system::System;
use crate::token::{Issuer, Issuers};

mod callback;

const PATH: &str = "/auth/sign-in-with";
const COOKIE_NAME: &str = "__Host-arsenal-attempt";
/// The provider sends the browser back from another site: `Strict` would keep the cookie from it.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// The page that leads to a provider.
#[derive(Debug, Template)]
#[template(path = "go_to_provider.html")]
struct GoToProvider<'a> {
    provider: &'a str,
    url: &'a str,
}

/// The router. It sends jobs to `mails`.
pub fn router(state: &System, issuers: &Issuers, clients: &Clients, mails: &Queue) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    let sent = limited(sent, state.per_address("sign-ins-with", 1));
    let callback = get(callback::show).with_state(state.clone()).layer(Extension(mails.clone()));
    Router::new()
        .route("/auth/callback/{provider}", callback)
        .merge(sent)
        .layer(Extension(issuers.clone()))
        .layer(Extension(clients.clone()))
        // Around the limit, so that a form of another site uses nobody's share.
        .layer(from_fn(cross_site::check))
}

async fn send(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    Extension(clients): Extension<Clients>,
    form: Form,
) -> Result<Response> {
    let next = match Next::read(&state, &form).await? {
        Ok(next) => next,
        Err(nowhere) => return nowhere.page(),
    };
    let Some(client) = clients.of(form.text("provider")) else { return expired("") };
    let (issuer, provider) = (issuers.current().await?, &client.provider);
    let attempt = Attempt::begin(provider.id.clone(), next.goes_on(), state.clock.now())?;
    let text = issuer.attempts().write(&attempt)?;
    if !fits_in_a_cookie(&text) {
        let notice = "The application asks with a text that is too long for this. Sign in with your password.";
        let refusal = (StatusCode::UNPROCESSABLE_ENTITY, notice);
        return sign_in::ask_again(&state, &next, refusal, "");
    }
    let redirect_uri = redirect_uri(&issuer, client);
    match client.authorization_url(&attempt, &redirect_uri, next.asks_again()).await {
        Ok(url) => {
            let shown =
                page(StatusCode::OK, &GoToProvider { provider: &provider.name, url: &url })?;
            let cookie = cookie(text.expose_secret(), LIFETIME.as_secs())?;
            let refresh = HeaderValue::try_from(format!("0; url={url}"))?;
            Ok(([(SET_COOKIE, cookie), (REFRESH, refresh)], shown).into_response())
        }
        Err(failure) => failed(&state, client, &next, &failure, ""),
    }
}

/// Where the provider sends the browser: an address for this provider alone.
fn redirect_uri(issuer: &Issuer, client: &Client) -> String {
    format!("{}/auth/callback/{}", issuer.name(), client.provider.id)
}

/// The attempt in the browser's cookie. If there are several of one name, none counts.
fn attempt(issuer: &Issuer, headers: &HeaderMap, now: Timestamp) -> Option<Attempt> {
    let text = super::browser::only_cookie(headers, COOKIE_NAME)?;
    issuer.attempts().read(text, now)
}

/// The header that makes the browser keep the text for this many seconds.
fn cookie(text: &str, seconds: u64) -> Result<HeaderValue> {
    Ok(HeaderValue::try_from(format!("{COOKIE_NAME}={text}; Max-Age={seconds}; {ATTRIBUTES}"))?)
}

/// The page of the sign-in, which says that the provider has not signed the user in.
fn failed(
    state: &System,
    client: &Client,
    next: &Next,
    failure: &Failure,
    root: &'static str,
) -> Result<Response> {
    let name = &client.provider.name;
    tracing::warn!(provider = %client.provider.id, reason = %failure, "a provider has signed nobody in");
    let (status, notice) = match failure {
        Failure::Down(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{name} does not answer. Try again in a minute, or sign in in another way."),
        ),
        Failure::Wrong(_) => (
            StatusCode::BAD_GATEWAY,
            format!("{name} answers in a way that we do not understand. Sign in in another way."),
        ),
        Failure::Declined => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("You have not signed in with {name}."))
        }
        Failure::Code => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("{name} has not signed you in. Begin again."),
        ),
    };
    sign_in::ask_again(state, next, (status, &notice), root)
}

/// The page of an attempt that is good for nothing. It does not tell why.
fn expired(root: &'static str) -> Result<Response> {
    let message = Message {
        title: "This sign-in does not work",
        text: "It has taken more than ten minutes, was begun in another browser or tab, or has ended already. Begin again.",
        link: Some(SIGN_IN),
        root,
        ..Message::default()
    };
    page(StatusCode::UNPROCESSABLE_ENTITY, &message)
}
