//! The page of a problem.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use shared::invocation::correlation_id;
use shared::problem::Problem;

use super::layout::page;
use super::message::Message;

/// The page of a problem: its title, and what to do. The id of the request is only on pages of our own errors, because
/// only the log can tell more about them.
#[must_use]
pub fn page_of(problem: &Problem) -> Response {
    let is_ours = problem.status().is_server_error();
    let otherwise = if is_ours { "Try again in a minute." } else { "Open the page again." };
    let message = Message {
        title: problem.title(),
        text: problem.explanation().unwrap_or(otherwise),
        request_id: correlation_id().filter(|_| is_ours),
        ..Message::default()
    };
    page(problem.status(), &message)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
