//! `POST /v1/applications/{application_id}/secret`

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem, ProblemType};
use shared::scopes::Admin;
use utoipa::ToSchema;

use crate::oauth::application::{ApplicationId, ApplicationKind, OVERLAP, Secret};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<NewSecret>(StatusCode::CREATED)
        .refuses(&[NOT_FOUND, NO_SECRET])
}

const NO_SECRET: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "no-secret", "A public application has no secret");

/// A new secret.
#[derive(Serialize, ToSchema)]
struct NewSecret {
    /// The secret, which is shown only here.
    client_secret: String,
    /// Until when the former secret is good too.
    former_until: Timestamp,
}

/// Makes a new secret for an application. The former one is good for another 24 hours. If the answer is lost, send the
/// request again: the secrets before stay good for as long.
#[utoipa::path(post, path = "/v1/applications/{application_id}/secret")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Path(id): Path<ApplicationId>,
) -> Result<(StatusCode, Json<NewSecret>)> {
    let secret = Secret::generate()?;
    let now = state.clock.now();
    retried(async || {
        let known = state.users.application(id).await?;
        let known = known.ok_or_else(|| Problem::not_found("application"))?;
        if known.application.kind == ApplicationKind::Public {
            return Err(Problem::of(NO_SECRET).into());
        }
        // An attempt before may have been made, though its answer was lost.
        if known.knows(&secret, now) {
            return Ok(Some(()));
        }
        Ok(state.users.renew_secret(&known, &secret, now).await?.then_some(()))
    })
    .await?;
    tracing::info!(application = %id, "made a new secret");
    let client_secret = secret.expose().to_owned();
    Ok((StatusCode::CREATED, Json(NewSecret { client_secret, former_until: now + OVERLAP })))
}
