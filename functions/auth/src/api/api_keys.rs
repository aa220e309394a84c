//! What the endpoints of API keys share.

use jiff::Timestamp;
use serde::Serialize;
use shared::http::Json;
use shared::id::TenantId;
use utoipa::ToSchema;

use super::{NO_STORE, NoStore};
use crate::api_key::{ApiKey, ApiKeyId, KeyName, Secret};
use crate::session::Client;

/// An API key: a program calls the API with it, as its user.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct Shown {
    id: ApiKeyId,
    /// The tenant that it acts for.
    tenant: TenantId,
    name: KeyName,
    /// Its scopes. A request with the key has those of them that the user's roles have at that time.
    scopes: Vec<String>,
    /// When the key was made.
    created_at: Timestamp,
    /// When its secret was made: at the creation, or at the last rotation.
    secret_set_at: Timestamp,
    /// When its secret expires. Absent if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// Until when an old secret is good too. Absent if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_overlaps_until: Option<Timestamp>,
    /// The time of a use. The last one is at most 61 minutes later. Absent if the key was never used.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
    /// The client that made its secret.
    client: Client,
}

impl Shown {
    /// A key as it is at `now`.
    pub(super) fn at(now: Timestamp, key: ApiKey) -> Self {
        let (expires_at, secret_overlaps_until) = (key.expires_at(), key.overlaps_until(now));
        let ApiKey { id, tenant, name, scopes, created_at, secret_set, used_at, .. } = key;
        Self {
            id,
            tenant,
            name,
            scopes,
            created_at,
            secret_set_at: secret_set.at,
            expires_at,
            secret_overlaps_until,
            used_at,
            client: secret_set.client,
        }
    }
}

/// An API key with its new secret.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyWithSecret {
    api_key: Shown,
    /// What the program sends as `Authorization: Bearer …`. It is in no other answer: keep it as secret as a password.
    #[schema(
        pattern = "^arsenal_key_[A-Za-z0-9_-]{90}[AEIMQUYcgkosw048]$",
        example = "arsenal_key_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    )]
    secret: String,
}

/// The answer with a new secret, which no cache keeps.
pub(super) type SecretOnce = (NoStore, Json<ApiKeyWithSecret>);

/// The answer with a new secret of `key` at `now`.
pub(super) fn secret_once(now: Timestamp, key: ApiKey, secret: &Secret) -> SecretOnce {
    let answer = ApiKeyWithSecret { api_key: Shown::at(now, key), secret: secret.expose().into() };
    (NO_STORE, Json(answer))
}
