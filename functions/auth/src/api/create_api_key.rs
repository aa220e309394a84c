//! `POST /v1/api-keys`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, INVALID_BODY, Json, SignedIn, StatusCode};
use shared::problem::Problem;
use utoipa::ToSchema;

use super::account_of;
use super::api_keys::{ApiKeyWithSecret, SecretOnce, secret_once};
use super::{Account, require_session};
use crate::api_key::{
    ApiKey, Days, KeyName, KeyScope, KeyScopes, MAX_KEYS, Secret, SecretSet, TOO_MANY_KEYS, Wanted,
};
use crate::session::Client;
use crate::store::Added;
use crate::system::System;
use crate::user::Actor;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = state.per_user();
    limited(contract::route!(handle).with_state(state), limit)
}

/// What can be done with a key that was made.
const OF_API_KEY: [&str; 2] = ["auth-rotate-api-key", "auth-revoke-api-key"];

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::User, Unavailable::Admit)
        .answers::<ApiKeyWithSecret>(StatusCode::CREATED)
        .links(&OF_API_KEY, "api_key_id", "$response.body#/api_key/id")
        .header("Cache-Control")
        .refuses(&[TOO_MANY_KEYS])
}

/// The API key that the user wants.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApiKeyRequest {
    name: KeyName,
    /// What the key may do: scopes that the user has.
    #[schema(value_type = Vec<KeyScope>, min_items = 1)]
    scopes: KeyScopes,
    /// For how many days the secret is good, and the next one after each rotation. Without it, a secret does not expire.
    expires_in_days: Option<Days>,
}

/// Makes an API key, with which a program calls the API as the user, for the tenant that the
/// request is for. The answer has its secret, which is never shown again. If
/// the answer is lost, revoke the key, which the list has, and make another one. A user has at most 20 keys.
#[utoipa::path(post, path = "/v1/api-keys")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    client: Client,
    Json(ApiKeyRequest { name, scopes, expires_in_days }): Json<ApiKeyRequest>,
) -> Result<(StatusCode, SecretOnce)> {
    require_session(&user)?;
    let account = account_of(&state, user.user).await?;
    let actor = state.users.actor(account.user, user.tenant).await?;
    let actor = actor.ok_or_else(Problem::unauthenticated)?;
    check_for(&user, &actor, &scopes)?;
    let now = state.clock.now();
    let secret = Secret::generate(user.user, state.ids.next())?;
    let set = SecretSet { at: now, emergency: false, client };
    let key = ApiKey::new(&actor, Wanted { name, scopes, expires_in_days }, &secret, set);
    match state.users.add_api_key(&key).await? {
        Added::Made => {}
        Added::Full => {
            let detail = format!("The maximum is {MAX_KEYS}.");
            return Err(Problem::of(TOO_MANY_KEYS).detail(detail).into());
        }
        Added::NoAccount => return Err(Problem::unauthenticated().into()),
    }
    tracing::info!(user_id = %key.user, api_key = %key.id, "API key created");
    Ok((StatusCode::CREATED, secret_once(now, key, &secret)))
}

/// Checks that the user has these scopes, and the token of the request too: an application with some scopes of the user makes no
/// key with others.
fn check_for(request: &SignedIn, actor: &Actor, scopes: &KeyScopes) -> Result<(), Problem> {
    let missing = scopes.beyond(request, actor).collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!("you do not have the scope {}", missing.join(" "));
    Err(Problem::of(INVALID_BODY).field("scopes", detail))
}
