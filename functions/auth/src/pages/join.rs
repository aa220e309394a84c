//! `/auth/join?token=…`: a user accepts the invitation into a tenant that a mail has brought.
//!
//! **Guarantees.** Opening the page changes nothing. Only a user who is signed in with the invited address joins.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use shared::http::rate_limit::limited;
use shared::{Error, Result};

use super::browser::signed_in;
use super::layout::page;
use super::link;
use super::message::{Message, SIGN_IN};
use super::next::Next;
use super::sign_in;
use crate::api::accept_invitation::{OTHER_ADDRESS, accept, limit};
use crate::api::links::INVALID_LINK;
use crate::form::Form;
use crate::link::{Link, LinkToken, Purpose};
use crate::system::System;
use crate::tenant::ALREADY_MEMBER;
use crate::token::Issuers;

const PATH: &str = "/auth/join";

/// The page.
#[derive(Debug, Template)]
#[template(path = "join.html")]
struct Join<'a> {
    token: &'a str,
    tenant: &'a str,
    /// The invited address.
    email: &'a str,
}

/// The page's router.
pub(super) fn router(state: &System, issuers: &Issuers) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    let sent = limited(sent.layer(Extension(issuers.clone())), limit(state));
    Router::new().route(PATH, get(show)).with_state(state.clone()).merge(sent)
}

async fn show(State(state): State<System>, RawQuery(query): RawQuery) -> Result<Response> {
    let Some((token, link)) = link::opened(&state, query).await? else { return invalid() };
    let Link { email, purpose: Purpose::Join { tenant }, .. } = link else { return invalid() };
    let Some(tenant) = state.users.tenant(tenant).await? else { return invalid() };
    let (token, tenant, email) = (token.expose(), tenant.name.as_str(), email.as_str());
    page(StatusCode::OK, &Join { token, tenant, email })
}

async fn send(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response> {
    let Some(token) = link::in_form(&form) else { return invalid() };
    let (issuer, now) = (issuers.current().await?, state.clock.now());
    let Some(browser) = signed_in(&state, &issuer, &headers, now).await? else {
        return ask(&state, token).await;
    };
    match accept(&state, &token, &browser.account).await {
        Ok(_) => joined(),
        Err(Error::Problem(problem)) if problem.is(OTHER_ADDRESS) => ask(&state, token).await,
        Err(Error::Problem(problem)) if problem.is(INVALID_LINK) => invalid(),
        Err(Error::Problem(problem)) if problem.is(ALREADY_MEMBER) => joined(),
        Err(error) => Err(error),
    }
}

/// Asks the owner of the invited address to sign in.
async fn ask(state: &System, token: LinkToken) -> Result<Response> {
    let link = state.users.link(&token, state.clock.now()).await?;
    let email = link.map(|link| link.email.to_string()).unwrap_or_default();
    sign_in::ask(state, &Next::Join(token), &email)
}

fn joined() -> Result<Response> {
    let message = Message {
        title: "You are a member",
        text: "Go back to the application: it lets you switch between your tenants.",
        ..Message::default()
    };
    page(StatusCode::OK, &message)
}

fn invalid() -> Result<Response> {
    let message = Message {
        title: "This invitation does not work",
        text: "Each invitation works once, and for 7 days, and may be taken back. Ask for another one.",
        link: Some(SIGN_IN),
        ..Message::default()
    };
    page(StatusCode::UNPROCESSABLE_ENTITY, &message)
}
