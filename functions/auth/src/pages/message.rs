//! A page that only says something: what happens next, or what is wrong.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use shared::Result;

use super::layout::page;
use crate::email::Email;

/// The page.
#[derive(Debug, Default, Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    /// The title and the heading.
    pub(super) title: &'a str,
    /// What to know or to do.
    pub(super) text: &'a str,
    /// Where to go on.
    pub(super) link: Option<Link>,
    /// The way to the other pages.
    pub(super) root: &'static str,
    /// The id in the log of a request that failed.
    pub(super) request_id: Option<String>,
}

/// A link to another of our pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The last part of its path.
    pub(super) page: &'static str,
    /// The text of the link.
    pub(super) text: &'static str,
}

/// To the form that asks for an account.
pub(super) const REGISTER: Link = Link { page: "register", text: "Create an account" };
/// To the form that asks for a new password.
pub(super) const FORGOT_PASSWORD: Link =
    Link { page: "forgot-password", text: "Choose a new password" };

/// To the form of a sign-in.
pub(super) const SIGN_IN: Link = Link { page: "sign-in", text: "Sign in" };
/// To the form that ends the session of a browser.
pub(super) const SIGN_OUT: Link = Link { page: "sign-out", text: "Sign out" };

/// What follows when somebody has asked for a mail: the same for every address, with and without an account.
pub(super) fn mail_is_coming(email: &Email) -> Result<Response> {
    let text = format!(
        "A mail to {email} is on its way. Open the link in it: it works for one hour. If there is no mail after a few \
         minutes, look at your spam folder."
    );
    let message = Message { title: "Look at your mailbox", text: &text, ..Message::default() };
    page(StatusCode::OK, &message)
}
