//! What all pages have in common: `templates/layout.html`, which a page extends, and the headers.
//!
//! **Guarantees.** A browser runs no script of a page but the file of ours on the pages that ask for a passkey, loads nothing else for it, and applies no style but that of the layout,
//! whatever is in the page. It shows the page in no frame, sends its forms only to this host, or by way of it to the application that the page names, and tells nobody its URL,
//! which may have a token. The edge adds what every answer has: `Cache-Control: no-store`, `Referrer-Policy: no-referrer`
//! and `X-Content-Type-Options: nosniff` ([`shared::http`]).

use std::sync::LazyLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use shared::error::Result;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The text of the only element `style`.
const STYLE: &str = include_str!("../../templates/layout.css").trim_ascii_end();

/// The hash of [`STYLE`], as the policy names it.
static HASH: LazyLock<String> =
    LazyLock::new(|| BASE64_STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));

/// `Content-Security-Policy` (CSP level 3). Forms go to this host, and from there to `target`: a browser judges by this
/// rule where the answer to a form sends it, too.
fn policy(target: &str, scripts: &str) -> String {
    let space = if target.is_empty() { "" } else { " " };
    format!(
        "default-src 'none'; {scripts}style-src 'sha256-{}'; form-action 'self'{space}{target}; base-uri 'none'; \
         frame-ancestors 'none'",
        *HASH
    )
}

/// Answers with a page.
///
/// # Errors
/// When a value in the template cannot be printed.
pub(super) fn page(status: StatusCode, page: &impl Template) -> Result<Response> {
    page_toward(status, page, "")
}

/// Answers with a page whose form may end at `target`: the origin or the scheme of an application.
///
/// # Errors
/// When a value in the template cannot be printed.
pub(super) fn page_toward(
    status: StatusCode,
    page: &impl Template,
    target: &str,
) -> Result<Response> {
    answer(status, page, &policy(target, ""))
}

/// The same for a page that asks for a passkey, which only a script can do: a browser runs the file of ours, and nothing else.
///
/// # Errors
/// When a value in the template cannot be printed.
pub(super) fn page_with_script(
    status: StatusCode,
    page: &impl Template,
    target: &str,
) -> Result<Response> {
    answer(status, page, &policy(target, "script-src 'self'; "))
}

fn answer(status: StatusCode, page: &impl Template, policy: &str) -> Result<Response> {
    let headers = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_str(policy)?),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (OPENER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    Ok((status, headers, Html(page.render()?)).into_response())
}
