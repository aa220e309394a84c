//! `/auth/sign-out`: ends the session of a browser.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use shared::Result;

use super::browser;
use super::layout::page;
use super::message::{Message, SIGN_IN};
use crate::session::Reason;
use crate::system::System;
use crate::token::Issuers;

const PATH: &str = "/auth/sign-out";

/// The page.
#[derive(Debug, Template)]
#[template(path = "sign_out.html")]
struct SignOut;

/// The page's router.
pub(super) fn router(state: &System, issuers: &Issuers) -> Router {
    let route = Router::new().route(PATH, get(show).post(send)).with_state(state.clone());
    route.layer(Extension(issuers.clone()))
}

async fn show() -> Result<Response> {
    page(StatusCode::OK, &SignOut)
}

async fn send(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
) -> Result<Response> {
    let issuer = issuers.current().await?;
    if let Some(token) = browser::token(&issuer, &headers) {
        let now = state.clock.now();
        state.users.end_session(token.user, token.session, Reason::SignedOut, now).await?;
        tracing::info!(user_id = %token.user, session_id = %token.session, "signed out");
    }
    let message = Message {
        title: "You are signed out",
        text: "This browser has forgotten you. Applications in which you signed in before stay signed in: sign out in \
               each of them.",
        link: Some(SIGN_IN),
        ..Message::default()
    };
    Ok(([browser::forget()?], page(StatusCode::OK, &message)?).into_response())
}
