//! `POST /v1/oauth/device`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use shared::Error;
use shared::http::StatusCode;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use utoipa::ToSchema;

use super::caller::{Credentials, caller};
use super::token::{check, limit, wanted};
use crate::form::Fields;
use crate::oauth::application::Grant;
use crate::oauth::device::{Device, DeviceCode, INTERVAL, LIFETIME};
use crate::oauth::error::{Failure, OAuthError};
use crate::oauth::user_code::UserCode;
use crate::system::System;

/// How many user codes are drawn. If a million devices wait, one of 25,600 drawn codes is taken.
const DRAWS: u32 = 3;

/// The URL of the page on which users type their code.
#[derive(Clone, Debug)]
struct VerificationUri(String);

/// The endpoint's router. The issuer is the URL of the API.
pub fn router(state: System, issuer: &str) -> Router {
    let page = VerificationUri(format!("{issuer}/auth/device"));
    let limit = limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(page)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<DeviceAuthorization>(StatusCode::OK)
        .fails_with::<OAuthError>(&[StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED])
}

/// What a device asks for.
#[derive(Debug, Deserialize, ToSchema)]
struct DeviceRequest {
    /// The scopes that are wanted, separated by spaces. Without it, all that the application may have.
    #[schema(example = "openid orders:read")]
    scope: Option<String>,
    #[serde(flatten)]
    #[schema(inline)]
    credentials: Credentials,
}

/// What a device shows, and what it polls with (RFC 8628, section 3.2).
#[derive(Serialize, ToSchema)]
struct DeviceAuthorization {
    /// What the device sends with each poll. It shows it to nobody.
    device_code: String,
    /// What the device shows.
    #[schema(example = "WDJB-MJHT")]
    user_code: String,
    /// The page on which the user types the code.
    verification_uri: String,
    /// The same page with the code filled in, for a QR code. Show the code beside it: the user has to compare them.
    verification_uri_complete: String,
    /// After so many seconds, both codes are good for nothing.
    expires_in: u64,
    /// The seconds between two polls.
    interval: u64,
}

/// Begins a sign-in on a device without a browser. The device shows the code and the page, and polls `POST /v1/oauth/token`
/// until the user has allowed it there.
#[utoipa::path(post, path = "/v1/oauth/device")]
async fn handle(
    State(state): State<System>,
    Extension(VerificationUri(page)): Extension<VerificationUri>,
    headers: HeaderMap,
    Fields(DeviceRequest { scope, credentials }): Fields<DeviceRequest>,
) -> Result<Json<DeviceAuthorization>, Failure> {
    let application = caller(&state, &headers, credentials).await?;
    check(&application, Grant::DeviceCode)?;
    let scopes = wanted(scope.as_deref(), &application.scopes)?;
    let now = state.clock.now();
    let (code, device) = (DeviceCode::generate()?, Device::asking(application.id, scopes, now));
    let user_code = drawn(&state, &code, &device).await?.shown();
    tracing::info!(application = %application.id, "a device asks");
    Ok(Json(DeviceAuthorization {
        device_code: code.expose().to_owned(),
        verification_uri_complete: format!("{page}?user_code={user_code}"),
        verification_uri: page,
        user_code,
        expires_in: LIFETIME.as_secs(),
        interval: INTERVAL,
    }))
}

/// Stores the device under a user code that no other device shows.
async fn drawn(state: &System, code: &DeviceCode, device: &Device) -> Result<UserCode, Error> {
    for _ in 0..DRAWS {
        let (user_code, attempt) = (UserCode::generate()?, state.ids.next());
        let now = state.clock.now();
        if state.users.add_device((code, &user_code), device, now, attempt).await? {
            return Ok(user_code);
        }
    }
    Err(Error::internal("each drawn user code is taken"))
}
