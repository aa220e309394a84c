//! `GET /docs`, `GET /docs/{file}`, `GET /docs/problems`, `GET /docs/problems/{type}`,
//! `GET /v1/openapi.json`

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use shared::Result;
use shared::http::{Path, accepts_gzip};
use shared::problem::Problem;

use crate::site::Site;

/// What a page may load: its own files, and answers of the API. Swagger UI writes styles into the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// A new deployment is seen after five minutes.
const KEPT: &str = "public, max-age=300";

/// The endpoints' router.
pub fn router(site: Site) -> Router {
    Router::new()
        .route("/docs", get(page))
        .route("/docs/{file}", get(file))
        .route("/docs/problems", get(problems))
        .route("/docs/problems/{type}", get(problem))
        .route("/v1/openapi.json", get(document))
        .with_state(site)
}

async fn page(State(site): State<Site>, headers: HeaderMap) -> Result<Response> {
    answer(&site, &headers, "", "index.html")
}

async fn file(
    State(site): State<Site>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Result<Response> {
    answer(&site, &headers, "", &file)
}

async fn problems(State(site): State<Site>, headers: HeaderMap) -> Result<Response> {
    answer(&site, &headers, "", "problems.html")
}

/// The page of a problem type, such as `out-of-stock`.
async fn problem(
    State(site): State<Site>,
    headers: HeaderMap,
    Path(kind): Path<String>,
) -> Result<Response> {
    answer(&site, &headers, "problems", &format!("{kind}.html"))
}

async fn document(State(site): State<Site>, headers: HeaderMap) -> Result<Response> {
    answer(&site, &headers, "", "openapi.json")
}

fn answer(site: &Site, headers: &HeaderMap, folder: &str, name: &str) -> Result<Response> {
    let file = site.file(folder, name, accepts_gzip(headers))?;
    let file = file.ok_or_else(|| Problem::not_found("page"))?;
    let headers = [
        (CONTENT_TYPE, file.media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, KEPT),
        (VARY, "accept-encoding"),
    ];
    let mut response = (headers, file.content).into_response();
    if file.is_gzip {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}
