//! `GET /v1/sessions`

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page, cursor};
use shared::http::{Allowed, Json, Query};
use shared::id::SessionId;
use utoipa::ToSchema;

use super::Account;
use super::account_of;
use crate::session::{Client, Granted, Session};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Sessions>()
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
struct Sessions {
    /// The sessions that have not ended, newest first.
    sessions: Vec<Shown>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A session: from a sign-in until it is ended.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct Shown {
    id: SessionId,
    /// Whether the request belongs to this session.
    is_current: bool,
    /// The time of the sign-in.
    created_at: Timestamp,
    /// The time of the last refresh, or of the sign-in.
    refreshed_at: Timestamp,
    /// When the session ends if it is not refreshed.
    ends_at: Timestamp,
    /// The client of the last refresh, or of the sign-in.
    client: Client,
    /// The application that the session is for. Absent if the user signed in by the API or in a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<Granted>,
}

/// Lists the user's sessions, newest first.
#[utoipa::path(get, path = "/v1/sessions")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Sessions>)> {
    let (before, limit) = (page.after()?, page.limit()?);
    let epoch = account_of(&state, user.user).await?.epoch;
    let now = state.clock.now();
    let (found, has_more) = state.users.sessions(user.user, epoch, before, limit, now).await?;
    let next_cursor = found.last().filter(|_| has_more).map(|last| cursor(last.id));
    let shown = |session: Session| Shown {
        id: session.id,
        is_current: user.session == Some(session.id),
        created_at: session.created_at,
        refreshed_at: session.refreshed_at,
        ends_at: session.ends_at(),
        client: session.client,
        application: session.application,
    };
    let sessions = found.into_iter().map(shown).collect();
    Ok((page.next(next_cursor.as_ref()), Json(Sessions { sessions, next_cursor })))
}
