//! `POST /v1/auth/register`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, StatusCode};
use shared::id::Ids;
use shared::problem::Problem;

use crate::email::Email;
use crate::password::{self, NewPassword};
use crate::store::{Account, CreateError, Users};
use crate::user::User;

/// What the endpoint needs.
#[derive(Clone)]
pub struct Register {
    /// The users' table.
    pub users: Users,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
}

/// The endpoint's router.
pub fn router(register: Register) -> Router {
    Router::new().route("/v1/auth/register", post(handle)).with_state(register)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    email: Email,
    password: NewPassword,
}

async fn handle(
    State(register): State<Register>,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, Json<User>)> {
    let password_hash = password::hash(registration.password).await?;
    let user = User::register(registration.email, &register.ids, register.clock.now());
    let account = Account { user: user.clone(), password_hash };
    match register.users.create(&account).await {
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
        .field("email", "choose another, or sign in")
}
