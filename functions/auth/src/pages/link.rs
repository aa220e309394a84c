//! Links in mails, as pages get them.

use axum::http::StatusCode;
use axum::response::Response;
use shared::Result;

use super::form::Form;
use super::layout::page;
use super::message::{Link, Message};
use crate::link::LinkToken;

/// The token of the link that was opened. Nothing looks for it yet.
pub(super) fn in_query(query: Option<String>) -> Option<LinkToken> {
    in_form(&Form::of(query?.as_bytes()).ok()?)
}

/// The token that a form has from the link.
pub(super) fn in_form(form: &Form) -> Option<LinkToken> {
    LinkToken::try_from(form.secret("token")).ok()
}

/// The page of a link that is good for nothing. It does not tell why, as the endpoints do not.
pub(super) fn invalid(again: Link) -> Result<Response> {
    let message = Message {
        title: "This link does not work",
        text: "Each link works once, and for one hour. If you have just chosen a password with it, sign in. \
               Otherwise ask for another mail.",
        link: Some(again),
        ..Message::default()
    };
    page(StatusCode::UNPROCESSABLE_ENTITY, &message)
}
