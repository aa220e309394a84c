//! `POST /v1/applications/{application_id}/secret`

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem, ProblemType};
use shared::scopes::Admin;
use shared::webhook::TOO_MANY_SECRETS;
use utoipa::ToSchema;

use super::{NO_STORE, NoStore, require_own_session};
use crate::oauth::application::{ApplicationId, ApplicationKind, OVERLAP, Secret, TooManySecrets};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<NewSecret>(StatusCode::CREATED)
        .header("Cache-Control")
        .refuses(&[NOT_FOUND, NO_SECRET, TOO_MANY_SECRETS])
}

const NO_SECRET: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "no-secret", "A public application has no secret");

/// How the secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecretRenewal {
    /// Whether the secret may be known to others. Then all former secrets end at once.
    #[serde(default)]
    #[schema(default = false)]
    emergency: bool,
}

/// A new secret.
#[derive(Serialize, ToSchema)]
struct NewSecret {
    /// The secret, which is shown only here.
    client_secret: String,
    /// Until when the former secret is good too. Absent after an emergency.
    #[serde(skip_serializing_if = "Option::is_none")]
    former_until: Option<Timestamp>,
}

/// Makes a new secret for an application. The former one is good for another 24 hours, or in an emergency not at all. If the
/// answer is lost, send the request again: up to 4 secrets are good at once.
#[utoipa::path(post, path = "/v1/applications/{application_id}/secret")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Admin>,
    Path(id): Path<ApplicationId>,
    Json(SecretRenewal { emergency }): Json<SecretRenewal>,
) -> Result<(StatusCode, NoStore, Json<NewSecret>)> {
    require_own_session(&user)?;
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
        let secrets = known.renewed(&secret, emergency, now).map_err(too_many)?;
        Ok(state.users.renew_secret(&known, &secrets).await?.then_some(()))
    })
    .await?;
    tracing::info!(user_id = %user.user, application = %id, emergency, "made a new secret");
    let client_secret = secret.expose().to_owned();
    let former_until = (!emergency).then_some(now + OVERLAP);
    Ok((StatusCode::CREATED, NO_STORE, Json(NewSecret { client_secret, former_until })))
}

fn too_many(error: TooManySecrets) -> Problem {
    Problem::of(TOO_MANY_SECRETS).detail(format!("{error}."))
}
