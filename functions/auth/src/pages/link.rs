//! Links in mails, as pages get them.

use axum::http::StatusCode;
use axum::response::Response;
use shared::Result;

use super::layout::page;
use super::message::{self, Message};
use crate::form::Form;
use crate::link::{Link, LinkToken};
use crate::system::System;

/// The token in the URL of a link, and the link, if it can be used. This only looks: the link stays as it is.
pub(super) async fn opened(
    state: &System,
    query: Option<String>,
) -> Result<Option<(LinkToken, Link)>> {
    let query = query.and_then(|query| Form::of(query.as_bytes()).ok());
    let Some(token) = query.as_ref().and_then(in_form) else { return Ok(None) };
    let link = state.users.link(&token, state.clock.now()).await?;
    Ok(link.map(|link| (token, link)))
}

/// The token that a form has from the link.
pub(super) fn in_form(form: &Form) -> Option<LinkToken> {
    LinkToken::try_from(form.secret("token")).ok()
}

/// The page of a link that is good for nothing. It does not tell why, as the endpoints do not.
pub(super) fn invalid(again: message::Link) -> Result<Response> {
    let message = Message {
        title: "This link does not work",
        text: "Each link works once, and for one hour. If you have just chosen a password with it, sign in. \
               Otherwise ask for another mail.",
        link: Some(again),
        ..Message::default()
    };
    page(StatusCode::UNPROCESSABLE_ENTITY, &message)
}
