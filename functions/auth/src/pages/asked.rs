//! What an application asks for by a browser: the query of `/auth/authorize`, which our forms repeat in the field `request`.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use shared::Result;

use super::layout::page;
use super::message::Message;
use crate::form::Form;
use crate::oauth::application::Application;
use crate::oauth::error::OAuthError;
use crate::oauth::redirect::Target;
use crate::system::System;

/// The request of an application that we know, with an address that it has registered.
pub(super) struct Asked {
    /// The application.
    pub(super) application: Application,
    /// Where the browser is sent with the answer.
    pub(super) target: Target,
    /// All parameters.
    pub(super) form: Form,
}

/// Why an application is told nothing: we do not know where to send the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nowhere {
    /// The request cannot be read.
    Unreadable,
    /// There is no such application.
    Application,
    /// The application has not registered this address.
    Address,
}

impl Asked {
    /// The request of this query.
    pub(super) async fn read(state: &System, query: &str) -> Result<Result<Self, Nowhere>> {
        let Ok(form) = Form::of(query.as_bytes()) else { return Ok(Err(Nowhere::Unreadable)) };
        let Ok(id) = form.text("client_id").parse() else { return Ok(Err(Nowhere::Application)) };
        let Some(known) = state.users.application(id).await? else {
            return Ok(Err(Nowhere::Application));
        };
        let application = known.application;
        let Some(target) = application.target(form.text("redirect_uri")) else {
            return Ok(Err(Nowhere::Address));
        };
        Ok(Ok(Self { application, target, form }))
    }

    /// The parameters as a query, in a spelling of ours.
    pub(super) fn query(&self) -> String {
        self.form.encoded(|_| true)
    }

    /// The query after the user has given the password: without what asked for it.
    pub(super) fn query_after_sign_in(&self) -> String {
        let asks_consent = self.form.text("prompt").split(' ').any(|it| it == "consent");
        let query = self.form.encoded(|name| !["prompt", "max_age"].contains(&name));
        if asks_consent { format!("{query}&prompt=consent") } else { query }
    }

    /// Sends the browser back, with a code.
    pub(super) fn with_code(&self, code: &str, issuer: &str) -> Response {
        self.answer(&[("code", code)], issuer)
    }

    /// Sends the browser back, with an error.
    pub(super) fn refused(&self, error: &OAuthError, issuer: &str) -> Response {
        let name = error.name();
        tracing::info!(application = %self.application.id, error = name, "refused");
        let parameters = [("error", name.as_str()), ("error_description", error.error_description)];
        self.answer(&parameters, issuer)
    }

    fn answer(&self, parameters: &[(&str, &str)], issuer: &str) -> Response {
        let state = Some(("state", self.form.text("state"))).filter(|(_, text)| !text.is_empty());
        // The application sees by `iss` that the answer is ours (RFC 9207).
        let parameters = parameters.iter().copied().chain(state).chain([("iss", issuer)]);
        see_other(&self.target.with(&parameters.collect::<Vec<_>>()))
    }
}

/// Sends the browser to a URL, which it opens with `GET`.
pub(super) fn see_other(url: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, url)]).into_response()
}

impl Nowhere {
    /// The page that says so.
    pub(super) fn page(self) -> Result<Response> {
        let text = match self {
            Self::Unreadable => "The request is not UTF-8, or has a parameter twice.",
            Self::Application => "No application has this client_id.",
            Self::Address => "The application has not registered this redirect_uri.",
        };
        tracing::info!(reason = text, "an application asks wrongly");
        let text = format!("{text} Go back, and tell the people who make the application.");
        let title = "This application asks in a way that does not work";
        page(StatusCode::BAD_REQUEST, &Message { title, text: &text, ..Message::default() })
    }
}
