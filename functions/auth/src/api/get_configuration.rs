//! `GET /.well-known/openid-configuration`

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::{Json, Router};
use serde::Serialize;
use shared::http::StatusCode;
use shared::http::contract::{self, Operation};
use utoipa::ToSchema;

use crate::oauth::device::GRANT_TYPE;
use crate::oauth::pkce;
use crate::oauth::scope::Scopes;

/// The endpoint's router. The issuer is the URL of the API.
pub fn router(issuer: String) -> Router {
    contract::route!(handle).with_state(issuer)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Configuration>(StatusCode::OK)
}

/// What a library has to know (OpenID Connect Discovery 1.0, RFC 8414).
#[derive(Serialize, ToSchema)]
struct Configuration {
    /// The issuer of all tokens.
    issuer: String,
    /// The page to which an application sends the browser of a user.
    authorization_endpoint: String,
    /// Where an application gets tokens.
    token_endpoint: String,
    /// Tells an application who its user is.
    userinfo_endpoint: String,
    /// The public keys.
    jwks_uri: String,
    /// Ends a token.
    revocation_endpoint: String,
    /// Tells whether an access token is good.
    introspection_endpoint: String,
    /// Where a device begins (RFC 8628).
    device_authorization_endpoint: String,
    /// What an application may ask for.
    scopes_supported: Vec<&'static str>,
    /// What a browser brings back: a code.
    response_types_supported: [&'static str; 1],
    /// Where a browser brings it: in the query.
    response_modes_supported: [&'static str; 1],
    /// The ways to get tokens.
    grant_types_supported: [&'static str; 4],
    /// `sub` is the same for each application.
    subject_types_supported: [&'static str; 1],
    /// How ID tokens are signed.
    id_token_signing_alg_values_supported: [&'static str; 1],
    /// How an application proves at the token endpoint which one it is.
    token_endpoint_auth_methods_supported: [&'static str; 3],
    /// The same to revoke.
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    /// The same to introspect.
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    /// How PKCE hashes.
    code_challenge_methods_supported: [&'static str; 1],
    /// The claims of ID tokens and of the user.
    claims_supported: [&'static str; 8],
    /// What `prompt` may say.
    prompt_values_supported: [&'static str; 4],
    /// Answers by the browser name the issuer (RFC 9207).
    authorization_response_iss_parameter_supported: bool,
    /// Without it, `true` is meant.
    request_uri_parameter_supported: bool,
}

/// Tells libraries of OpenID Connect and OAuth all that they need.
#[utoipa::path(get, path = "/.well-known/openid-configuration")]
async fn handle(
    State(issuer): State<String>,
) -> ([(HeaderName, HeaderValue); 1], Json<Configuration>) {
    let at = |path: &str| format!("{issuer}{path}");
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    let configuration = Configuration {
        authorization_endpoint: at("/auth/authorize"),
        token_endpoint: at("/v1/oauth/token"),
        userinfo_endpoint: at("/v1/oauth/userinfo"),
        jwks_uri: at("/v1/oauth/keys"),
        revocation_endpoint: at("/v1/oauth/revoke"),
        introspection_endpoint: at("/v1/oauth/introspect"),
        device_authorization_endpoint: at("/v1/oauth/device"),
        scopes_supported: Scopes::names(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            GRANT_TYPE,
        ],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        token_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_methods_supported: methods,
        introspection_endpoint_auth_methods_supported: [methods[0], methods[1]],
        code_challenge_methods_supported: [pkce::METHOD],
        claims_supported: [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "email",
            "email_verified",
        ],
        prompt_values_supported: ["none", "login", "select_account", "consent"],
        authorization_response_iss_parameter_supported: true,
        request_uri_parameter_supported: false,
        issuer,
    };
    ([(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))], Json(configuration))
}
