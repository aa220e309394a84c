//! `POST /v1/auth/register`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;
use shared::Result;
use shared::http::rate_limit::limited;
use shared::http::{Json, StatusCode};
use shared::problem::Problem;

use crate::email::Email;
use crate::password::{self, NewPassword};
use crate::store::{Account, CreateError};
use crate::system::System;
use crate::user::User;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = state.per_address("registrations");
    limited(Router::new().route("/v1/auth/register", post(handle)).with_state(state), limit)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    email: Email,
    password: NewPassword,
}

async fn handle(
    State(state): State<System>,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, Json<User>)> {
    let password_hash = password::hash(registration.password).await?;
    let user = User::register(registration.email, &state.ids, state.clock.now());
    let account = Account { user: user.clone(), password_hash };
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
    Problem::new(StatusCode::CONFLICT, "email-taken", "Another user has this e-mail address")
        .field("email", "use another address, or sign in")
}
