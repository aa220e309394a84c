use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use lambda_http::request::RequestContext;
use shared::http::contract::{Extractor, Operation};

use crate::session::Client;

/// The maximum length of a user agent that is kept, in characters.
const MAX_USER_AGENT: usize = 200;

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let user_agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let user_agent = user_agent.map(|agent| agent.chars().take(MAX_USER_AGENT).collect());
        let ip = match parts.extensions.get() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
            _ => None,
        };
        Ok(Self { user_agent, ip })
    }
}

/// Nothing that a client must send.
impl Extractor for Client {
    fn describe(_: &mut Operation) {}
}
