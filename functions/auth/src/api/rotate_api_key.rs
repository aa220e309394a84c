//! `POST /v1/api-keys/{api_key_id}/rotation`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};
use shared::webhook::TOO_MANY_SECRETS;
use utoipa::ToSchema;

use super::api_keys::{ApiKeyWithSecret, SecretOnce, secret_once};
use super::{Account, require_session};
use crate::api_key::{ApiKeyId, Secret, SecretSet, TooManySecrets};
use crate::session::Client;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = state.per_user();
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::User, Unavailable::Admit)
        .answers::<ApiKeyWithSecret>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[NOT_FOUND, TOO_MANY_SECRETS])
}

/// How the secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRotation)]
struct Rotation {
    /// Whether a secret may be known to others. Then all old secrets end at once.
    #[serde(default)]
    #[schema(default = false)]
    emergency: bool,
}

/// Gives the key its next secret, which is never shown again. The old one is good for 24 h more, or until it expires, or in an
/// emergency not at all. If the answer is lost, rotate again: up to 4 old secrets are good at once. A key that expires is good
/// for all its days again.
#[utoipa::path(post, path = "/v1/api-keys/{api_key_id}/rotation")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    client: Client,
    Path(id): Path<ApiKeyId>,
    Json(Rotation { emergency }): Json<Rotation>,
) -> Result<SecretOnce> {
    require_session(&user)?;
    let now = state.clock.now();
    let secret = Secret::generate(user.user, id)?;
    let set = SecretSet { at: now, emergency, client };
    let rotated = retried(async || {
        let key = state.users.api_key(user.user, id).await?;
        let key = key.ok_or_else(|| Problem::not_found("API key"))?;
        let next = key.rotated(&secret, set.clone()).map_err(too_many)?;
        Ok(state.users.rotate_api_key(&key, &next).await?.then_some(next))
    });
    let key = rotated.await?;
    tracing::info!(user_id = %user.user, api_key = %id, emergency, "API key rotated");
    Ok(secret_once(now, key, &secret))
}

fn too_many(error: TooManySecrets) -> Problem {
    Problem::of(TOO_MANY_SECRETS).detail(format!("{error}."))
}
