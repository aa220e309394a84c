//! `POST /v1/auth/refresh`

use axum::extract::State;
use axum::{Extension, Router};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::tokens::{TokenResponse, Tokens, tokens};
use crate::session::{Client, Session};
use crate::store::Rotated;
use crate::system::System;
use crate::token::Issuers;
use crate::user::{Actor, User};

/// The refreshes for each sign-in that a source address may have: many users can share an address, and each
/// refreshes every 15 minutes.
pub(super) const REFRESHES: u32 = 20;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = state.per_address("refreshes", REFRESHES);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<TokenResponse>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[INVALID_REFRESH_TOKEN])
}

/// The same for each reason, which is in the log only.
const INVALID_REFRESH_TOKEN: ProblemType = ProblemType::new(
    StatusCode::UNAUTHORIZED,
    "invalid-refresh-token",
    "The session has ended: sign in again",
);

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// The refresh token of the last answer.
    #[schema(value_type = String, format = Password)]
    refresh_token: SecretString,
}

/// Gives a new access token and the next refresh token. The old refresh token gets the same next one for 40 s, so that
/// several requests at once, and a retry, are good. After that it ends the session, because somebody else may have it.
#[utoipa::path(post, path = "/v1/auth/refresh")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    client: Client,
    Json(request): Json<Refresh>,
) -> Result<Tokens> {
    let issuer = issuers.current().await?;
    let token = issuer.refresh().read(request.refresh_token.expose_secret());
    let token = token.ok_or_else(|| refused("not one of ours"))?;
    let now = state.clock.now();
    let (user, rotated) = retried(async || {
        let account = state.users.account(token.user).await?;
        let account = account.ok_or_else(|| refused("no such user"))?;
        let rotated = state.users.rotate(token, account.epoch, (&client, None), now).await?;
        Ok((rotated != Rotated::AccountChanged).then_some((account.user, rotated)))
    })
    .await?;
    match rotated {
        Rotated::Session(session) => {
            let (actor, session) = acting(&state, user, *session, now).await?;
            tokens(&state, &issuer, &actor, &session, now)
        }
        Rotated::Over | Rotated::AccountChanged => Err(refused("the session has ended").into()),
        Rotated::Reused => {
            let (user_id, session_id) = (token.user, token.session);
            tracing::warn!(%user_id, %session_id, "a refresh token was used again: the session is ended");
            Err(refused("used again").into())
        }
    }
}

/// The user and the session, in the tenant for which the session acts. A user who is no member there any more acts for the
/// user's own.
async fn acting(
    state: &System,
    user: User,
    session: Session,
    now: Timestamp,
) -> Result<(Actor, Session)> {
    if let Some(actor) = state.users.actor(user.clone(), session.tenant).await? {
        return Ok((actor, session));
    }
    tracing::info!(user_id = %user.id, tenant = %session.tenant, "no member any more");
    let actor = user.in_own_tenant();
    let of = (session.user, session.id, session.epoch);
    let at = (now, state.ids.next());
    if !state.users.act_for(of, (actor.tenant, true), at).await? {
        return Err(refused("the session has ended").into());
    }
    let session = Session { tenant: actor.tenant, ..session };
    Ok((actor, session))
}

fn refused(reason: &'static str) -> Problem {
    tracing::info!(reason, "refresh refused");
    Problem::of(INVALID_REFRESH_TOKEN)
}
