//! `POST /v1/me/passkeys`

use axum::extract::State;
use axum::{Extension, Router};
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::passkeys::{By, INVALID_PASSKEY, PASSKEY_KNOWN, Shown, TOO_MANY_PASSKEYS};
use super::recent::SIGN_IN_TOO_OLD;
use super::{Account, current_password, require_own_session, session_of};
use super::{NO_STORE, NoStore};
use crate::passkey::PasskeyName;
use crate::passkey::json::NewCredential;
use crate::session::Client;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = current_password::limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<PasskeyAdded>(StatusCode::CREATED)
        .links(&["auth-remove-passkey"], "passkey_id", "$response.body#/passkey/id")
        .header("Cache-Control")
        .refuses(&[INVALID_PASSKEY, PASSKEY_KNOWN, TOO_MANY_PASSKEYS, SIGN_IN_TOO_OLD])
}

/// A new passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPasskey {
    name: PasskeyName,
    credential: NewCredential,
}

/// A passkey that was added.
#[derive(Serialize, ToSchema)]
struct PasskeyAdded {
    passkey: Shown,
    /// Ten recovery codes, which no later answer has. Absent if the user had a second factor before.
    #[schema(min_items = 10, max_items = 10)]
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<String>>,
}

/// Adds a passkey, which an authenticator has made for the options of `POST /v1/me/passkeys/options`. From now on a sign-in
/// needs the passkey, with or without the password, or the password and a code. With the first second factor of a user, the answer
/// has ten recovery codes. A user has at most 20 passkeys.
#[utoipa::path(post, path = "/v1/me/passkeys")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    user: Allowed<Account>,
    client: Client,
    Json(NewPasskey { name, credential }): Json<NewPasskey>,
) -> Result<(StatusCode, NoStore, Json<PasskeyAdded>)> {
    require_own_session(&user)?;
    let by = By { user: user.user, session: session_of(&user)? };
    let issuer = issuers.current().await?;
    let (passkey, recovery) = by.adds(&state, &issuer, (name, &credential), client).await?;
    let recovery_codes = recovery.map(|codes| codes.shown().to_vec());
    let added = PasskeyAdded { passkey: passkey.into(), recovery_codes };
    Ok((StatusCode::CREATED, NO_STORE, Json(added)))
}
