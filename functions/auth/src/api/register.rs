//! `POST /v1/auth/register`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use crate::email::Email;
use crate::password::{self, NewPassword};
use crate::store::{Account, CreateError};
use crate::system::System;
use crate::user::User;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = state.per_address("registrations", 1);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<User>(StatusCode::CREATED)
        .refuses(&[EMAIL_TAKEN])
}

const EMAIL_TAKEN: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "email-taken", "Another user has this e-mail address");

/// A new user's e-mail address and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Registration {
    email: Email,
    password: NewPassword,
}

/// Registers a user, with a tenant of the user's own.
#[utoipa::path(post, path = "/v1/auth/register")]
async fn handle(
    State(state): State<System>,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, Json<User>)> {
    let password_hash = password::hash(registration.password).await?;
    let user = User::register(registration.email, &state.ids, state.clock.now());
    let account = Account { user: user.clone(), password_hash, epoch: 0 };
    match state.users.create(&account).await {
        Ok(()) => {
            tracing::info!(user_id = %user.id, "registered");
            Ok((StatusCode::CREATED, Json(user)))
        }
        Err(CreateError::EmailTaken) => Err(email_taken().into()),
        Err(CreateError::Failed(error)) => Err(error),
    }
}

fn email_taken() -> Problem {
    Problem::of(EMAIL_TAKEN).field("email", "use another address, or sign in")
}
