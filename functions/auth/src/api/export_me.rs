//! `GET /v1/me/export`

use axum::extract::State;
use axum::{Extension, Router};
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::audit::{AuditLog, Chain, Entry};
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use shared::id::SessionId;
use utoipa::ToSchema;

use super::Account;
use super::account_of;
use super::api_keys::Shown;
use super::identities::ShownIdentity;
use super::passkeys;
use super::tenants::ShownTenant;
use crate::session::{Client, Granted, Session};
use crate::store::{self, FactorSet, PasswordSet};
use crate::system::System;
use crate::user::User;

/// The maximum number of sessions, and of entries of the audit log that are read.
const MOST: i32 = 1_000;

/// The endpoint's router.
pub fn router(state: System, log: AuditLog) -> Router {
    contract::route!(handle).with_state(state).layer(Extension(log))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Export>(StatusCode::OK)
}

/// What auth keeps of a user, but for the hashes of the password and of the secrets of API keys, and what a code and a
/// passkey are checked with.
#[derive(Serialize, ToSchema)]
struct Export {
    user: User,
    password_set: PasswordSet,
    /// How the authenticator app was switched on or off. Absent if the user never had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_factor: Option<FactorSet>,
    /// The last 1,000 sessions, newest first, also those that have ended, for 30 days from the sign-in.
    sessions: Vec<KeptSession>,
    /// The tenants of which the user is a member, besides the user's own.
    tenants: Vec<ShownTenant>,
    /// The API keys, newest first.
    api_keys: Vec<Shown>,
    /// The passkeys, newest first.
    passkeys: Vec<passkeys::Shown>,
    /// The identities at outside providers, oldest first.
    identities: Vec<ShownIdentity>,
    /// The entries about the user, newest first, of the last 1,000 of the audit log of the user's own tenant.
    audit: Vec<Entry>,
}

/// What is kept of a session.
#[derive(Serialize, ToSchema)]
struct KeptSession {
    id: SessionId,
    /// The time of the sign-in.
    created_at: Timestamp,
    /// The time of the last refresh, or of the sign-in.
    refreshed_at: Timestamp,
    /// When the session ends at the latest.
    expires_at: Timestamp,
    /// The client of the last refresh, or of the sign-in.
    client: Client,
    /// The application that the session is for. Absent if the user signed in by the API or in a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<Granted>,
    /// When the session was ended before. Absent if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

impl From<Session> for KeptSession {
    fn from(session: Session) -> Self {
        let Session {
            id, created_at, refreshed_at, expires_at, client, application, ended, ..
        } = session;
        let ended_at = ended.map(|ended| ended.at);
        Self { id, created_at, refreshed_at, expires_at, client, application, ended_at }
    }
}

/// Gives what is kept of the user: the account, the last sessions with their clients, the tenants, the API keys, the passkeys, the
/// identities at outside providers, and the last entries of the audit log.
#[utoipa::path(get, path = "/v1/me/export")]
async fn handle(
    State(state): State<System>,
    Extension(log): Extension<AuditLog>,
    user: Allowed<Account>,
) -> Result<Json<Export>> {
    let account = account_of(&state, user.user).await?;
    let sessions = state.users.last_sessions(user.user, MOST).await?.into_iter();
    let sessions = sessions.map(KeptSession::from).collect();
    let tenants = state.users.tenants(user.user).await?.into_iter();
    let tenants = tenants.map(|(tenant, member)| ShownTenant::of(&user, tenant, &member)).collect();
    let (api_keys, _) = state.users.api_keys(user.user, None, MOST).await?;
    let now = state.clock.now();
    let api_keys = api_keys.into_iter().map(|key| Shown::at(now, key)).collect();
    let passkeys = state.users.passkeys(user.user).await?.into_iter();
    let passkeys = passkeys.map(passkeys::Shown::from).collect();
    let identities = state.users.identities(user.user).await?;
    let identities = identities.into_iter().map(ShownIdentity::from).collect();
    let (mut audit, _) = log.entries(Chain::Tenant(account.user.tenant), None, MOST).await?;
    let subject = user.user.to_string();
    audit.retain(|entry| entry.fact.subject == subject);
    let store::Account { user, password_set, second_factor, .. } = account;
    let export = Export {
        user,
        password_set,
        second_factor,
        sessions,
        tenants,
        api_keys,
        passkeys,
        identities,
        audit,
    };
    Ok(Json(export))
}
