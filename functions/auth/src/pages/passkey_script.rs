//! `/auth/passkeys.js`: the only script of the pages.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

const PATH: &str = "/auth/passkeys.js";
const SCRIPT: &str = include_str!("../../templates/passkeys.js");

/// The script's router.
pub(super) fn router() -> Router {
    Router::new().route(PATH, get(show))
}

async fn show() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)
}
