//! `GET /v1/oauth/keys`

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::Value;
use shared::Result;
use shared::http::StatusCode;
use shared::http::contract::{self, Operation};
use utoipa::ToSchema;

use crate::authorize::Authorizer;

/// The endpoint's router.
pub fn router(authorizer: Authorizer) -> Router {
    contract::route!(handle).with_state(authorizer)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<KeySet>(StatusCode::OK)
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Serialize, ToSchema)]
struct KeySet {
    /// The keys: Ed25519 for access tokens (`alg: EdDSA`), RSA for ID tokens (`alg: RS256`).
    #[schema(value_type = Vec<Object>)]
    keys: Value,
}

/// Gives the public keys of tokens. A key is here 10 minutes before it signs, and for at least an hour after the next one
/// signs.
#[utoipa::path(get, path = "/v1/oauth/keys")]
async fn handle(
    State(authorizer): State<Authorizer>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<KeySet>)> {
    let keys = serde_json::to_value(&authorizer.keys().await?.keys)?;
    // Shorter than the time for which a key is published before it signs.
    let kept = HeaderValue::from_static("public, max-age=300");
    Ok(([(CACHE_CONTROL, kept)], Json(KeySet { keys })))
}
