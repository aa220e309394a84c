//! `POST /v1/tenants/{tenant_id}/invitations`

use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Router};
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, TOO_MANY_REQUESTS, Unavailable, limited, too_many};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::id::TenantId;
use shared::problem::NOT_FOUND;
use shared::queue::Queue;
use shared::rate_limit::Quota;
use shared::scopes::TenantRole;
use utoipa::ToSchema;

use super::invitations::Shown;
use super::links::request_mail;
use super::tenants::{only_owners, own, require};
use super::{Account, require_own_session};
use crate::email::Email;
use crate::send_mail::Wanted;
use crate::store::Invited;
use crate::system::System;
use crate::tenant::{Given, INVITATIONS_PER_DAY, Invitation};

/// The endpoint's router. It sends jobs to `mails`.
pub fn router(state: System, mails: Queue) -> Router {
    let limit = state.per_user();
    limited(contract::route!(handle).with_state(state).layer(Extension(mails)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::User, Unavailable::Admit)
        .answers::<Shown>(StatusCode::CREATED)
        .refuses(&[NOT_FOUND, TOO_MANY_REQUESTS])
}

/// Who shall be a member.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationRequest {
    email: Email,
    role: TenantRole,
}

/// Invites the owner of an address. A mail has a link that the account of this address can use once, for 7 days. A repeated
/// request sends another mail and replaces the invitation. Managers and owners invite, and only owners invite owners: 50 at once,
/// and then 50 a day, by user and by tenant.
#[utoipa::path(post, path = "/v1/tenants/{tenant_id}/invitations")]
async fn handle(
    State(state): State<System>,
    Extension(mails): Extension<Queue>,
    user: Allowed<Account>,
    Path(tenant): Path<TenantId>,
    Json(InvitationRequest { email, role }): Json<InvitationRequest>,
) -> Result<(StatusCode, Json<Shown>)> {
    require_own_session(&user)?;
    require(&own(&state, &user, tenant).await?, None, Some(role))?;
    // Also by user: a user can make tenants without end.
    for subject in [user.user.to_string(), tenant.to_string()] {
        let quota = Quota::new("invitations", INVITATIONS_PER_DAY, Duration::from_hours(24));
        let decision = state.limiter.admit(&quota, &subject).await?;
        if !decision.is_admitted {
            return Err(too_many(decision.retry_after).into());
        }
    }
    let invitation = retried(async || {
        let by = own(&state, &user, tenant).await?;
        require(&by, None, Some(role))?;
        let given = Given { by: by.user, at: state.clock.now() };
        let invitation = Invitation::new(tenant, email.clone(), role, given);
        match state.users.invite(&invitation, &by, state.ids.next()).await? {
            Invited::Made => Ok(Some(invitation)),
            Invited::Outdated => Ok(None),
            Invited::OfOwner => Err(only_owners().into()),
        }
    })
    .await?;
    // If this fails, a repeated request sends the mail.
    request_mail(&mails, Wanted::Membership { tenant }, &email).await?;
    tracing::info!(user_id = %user.user, %tenant, invitation = %invitation.id(), "invited");
    Ok((StatusCode::CREATED, Json(invitation.into())))
}
