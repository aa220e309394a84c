//! `POST /v1/invitations/acceptance`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Allowed, Json, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::links::{INVALID_LINK, invalid_link};
use super::tenants::{ShownTenant, own, refused};
use super::{Account, account_of, require_own_session};
use crate::link::{Link, LinkToken, Purpose};
use crate::store::{self, Joined};
use crate::system::System;
use crate::tenant::{ALREADY_MEMBER, Invitation, TOO_MANY_MEMBERS, TOO_MANY_TENANTS};

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = limit(&state);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The limit of acceptances, of the endpoint and of its page together.
pub(crate) fn limit(state: &System) -> Limit {
    state.per_address("acceptances", 1)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<ShownTenant>(StatusCode::OK)
        .refuses(&[INVALID_LINK, OTHER_ADDRESS, ALREADY_MEMBER, TOO_MANY_MEMBERS, TOO_MANY_TENANTS])
}

/// The invitation is for another address than that of the account.
pub(crate) const OTHER_ADDRESS: ProblemType = ProblemType::new(
    StatusCode::FORBIDDEN,
    "other-address",
    "The invitation is for another address",
);

/// An acceptance.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    /// What the link in the mail ends with.
    token: LinkToken,
}

/// Accepts an invitation: the user becomes a member, with the role that the invitation names. Only the account with the invited
/// address can do it. To act for the tenant, switch to it (`PUT /v1/me/tenant`).
#[utoipa::path(post, path = "/v1/invitations/acceptance")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Json(Acceptance { token }): Json<Acceptance>,
) -> Result<Json<ShownTenant>> {
    require_own_session(&user)?;
    let account = account_of(&state, user.user).await?;
    let invitation = accept(&state, &token, &account).await?;
    let member = own(&state, &user, invitation.tenant).await?;
    let tenant = state.users.tenant(invitation.tenant).await?.ok_or_else(invalid_link)?;
    Ok(Json(ShownTenant::of(&user, tenant, &member)))
}

/// Makes the owner of an account a member, if who has invited may still do so.
pub(crate) async fn accept(
    state: &System,
    token: &LinkToken,
    account: &store::Account,
) -> Result<Invitation> {
    let now = state.clock.now();
    let link = state.users.link(token, now).await?;
    let Some(Link { email, purpose: Purpose::Join { tenant }, .. }) = link else {
        return Err(invalid_link().into());
    };
    if email != account.user.email {
        let detail = format!("Sign in as {email}.");
        return Err(Problem::of(OTHER_ADDRESS).detail(detail).into());
    }
    let (invitation, joined) = retried(async || {
        let invitation = state.users.invitation(tenant, &email, now).await?;
        let invitation = invitation.ok_or_else(invalid_link)?;
        let by = state.users.member(tenant, invitation.given.by).await?;
        let by = by.filter(|by| invitation.stands(by));
        let by = by.ok_or_else(invalid_link)?;
        let at = (now, state.ids.next());
        let joined = state.users.join(token, (&invitation, &by), account, at).await?;
        Ok((joined != Joined::Outdated).then_some((invitation, joined)))
    })
    .await?;
    if joined != Joined::Made {
        return Err(refused(joined));
    }
    tracing::info!(user_id = %account.user.id, %tenant, "joined a tenant");
    Ok(invitation)
}
