//! From an event to the answer in the format of API Gateway.
//!
//! **Guarantee.** No answer of a handler makes the function fail: a body that is not UTF-8 is encoded, a
//! header that is not is left out, and several headers of one name are joined.

use axum::Router;
use axum::body::Bytes;
use axum::response::Response;
use http_body_util::{BodyExt as _, Collected};
use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::{HeaderMap, HeaderValue, header};
use lambda_runtime::Context;
use serde_json::Value;
use tower::ServiceExt as _;

use super::edge::refused;
use super::event::request;
use crate::invocation::Invocation;
use crate::queue::TRACEPARENT;
use crate::telemetry::{Kind, Watch};
use crate::trace::TraceContext;

/// Answers one event, as [`serve`](super::serve) does with each. `app` is an [`app`](super::app) or
/// a [`page_app`](super::page_app).
pub async fn answer(app: Router, event: Value, context: &Context) -> ApiGatewayV2httpResponse {
    let response = handle(app, event, context).await;
    let (parts, body) = response.into_parts();
    // It does not fail: the body is in memory, the edge has collected it.
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let mut headers = parts.headers;
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok().map(str::to_owned)).collect();
    headers.remove(header::SET_COOKIE);
    // API Gateway counts the body that it sends. An own length could only disagree with it.
    headers.remove(header::CONTENT_LENGTH);
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    answer.cookies = cookies;
    let body = self::body(&body, headers.contains_key(header::CONTENT_ENCODING));
    answer.is_base64_encoded = matches!(body, Body::Binary(_));
    answer.body = Some(body);
    answer.headers = joined(&headers);
    answer
}

fn body(body: &Bytes, is_encoded: bool) -> Body {
    match std::str::from_utf8(body) {
        Ok(text) if !is_encoded || text.is_empty() => Body::Text(text.to_owned()),
        _ => Body::Binary(body.to_vec()),
    }
}

/// One header of each name: the format has no second, and the first alone would be sent.
fn joined(headers: &HeaderMap) -> HeaderMap {
    let mut joined = HeaderMap::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let values = headers.get_all(name).iter().filter_map(|value| {
            // JSON has no other text.
            std::str::from_utf8(value.as_bytes()).ok()
        });
        let values = values.collect::<Vec<_>>();
        let value = HeaderValue::try_from(values.join(", ")).ok();
        joined.extend(value.filter(|_| !values.is_empty()).map(|value| (name.clone(), value)));
    }
    joined
}

async fn handle(app: Router, event: Value, context: &Context) -> Response {
    let id = event["requestContext"]["requestId"].as_str().map(str::to_owned);
    let mut invocation = Invocation::of(context, id);
    let request = request(event);
    let header = request.as_ref().ok().and_then(|request| request.headers().get(TRACEPARENT));
    let caller = header.and_then(|value| value.to_str().ok());
    let caller = caller.and_then(TraceContext::from_traceparent);
    if caller.is_some() {
        invocation = invocation.caused_by(None, caller);
    }
    let work = async {
        let watch = Watch::start(Kind::Request);
        let (method, path, request) = match request {
            Ok(request) => {
                let (method, path) = (request.method().clone(), request.uri().path().to_owned());
                (method.to_string(), path, request)
            }
            Err(problem) => (String::new(), String::new(), refused(problem)),
        };
        let Ok(response) = app.oneshot(request).await;
        let status = response.status();
        tracing::info!(
            method,
            path,
            status = status.as_u16(),
            duration_ms = watch.milliseconds(),
            "request"
        );
        let outcome = match status.as_u16() {
            ..400 => "Success",
            400..500 => "ClientError",
            _ => "ServerError",
        };
        watch.invocation_ended(&invocation, outcome);
        response
    };
    invocation.clone().scope(work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_headers_of_one_name_are_one() {
        let mut headers = HeaderMap::new();
        headers.append("ratelimit", HeaderValue::from_static("\"a\";r=1"));
        headers.append("ratelimit", HeaderValue::from_static("\"b\";r=2"));
        headers.append("x-odd", HeaderValue::from_bytes(b"\xff").unwrap());
        headers.append("x-empty", HeaderValue::from_static(""));
        let joined = joined(&headers);
        assert_eq!(joined["ratelimit"], "\"a\";r=1, \"b\";r=2");
        assert_eq!((joined.len(), joined["x-empty"].is_empty()), (2, true));
    }

    #[test]
    fn only_a_body_that_is_not_text_is_encoded() {
        let text = |bytes: &'static [u8], is_encoded| match body(&bytes.into(), is_encoded) {
            Body::Text(text) => Some(text),
            _ => None,
        };
        assert_eq!(text("é".as_bytes(), false), Some("é".into()));
        assert_eq!(text(b"", true), Some(String::new()));
        assert_eq!(text(b"\xff", false), None);
        assert_eq!(text(b"{}", true), None);
    }
}
