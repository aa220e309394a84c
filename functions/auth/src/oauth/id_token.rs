//! ID tokens: who signed in, when, and for which application (OpenID Connect Core 1.0, section 2).

use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::id::UserId;

use super::application::ApplicationId;
use super::scope::{EMAIL, OPENID, Scopes};
use crate::email::Email;
use crate::token::{Issuer, LIFETIME};
use crate::user::User;

/// A sign-in that a user has allowed an application to know of.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// The application.
    pub application: ApplicationId,
    /// What the user has allowed.
    pub scopes: &'a Scopes,
    /// What the token repeats for the application.
    pub nonce: Option<&'a str>,
    /// When the user gave the password.
    pub signed_in_at: Timestamp,
}

/// The claims.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: UserId,
    aud: String,
    iat: i64,
    exp: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a Email>,
    /// An account exists only after its address is proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// The ID token of a sign-in, if the application may know who signed in.
///
/// # Errors
/// When there is no key.
pub fn issue(
    issuer: &Issuer,
    sign_in: SignIn<'_>,
    user: &User,
    now: Timestamp,
) -> Result<Option<String>> {
    if !sign_in.scopes.has(OPENID) {
        return Ok(None);
    }
    let email = sign_in.scopes.has(EMAIL).then_some(&user.email);
    let claims = Claims {
        iss: issuer.name(),
        sub: user.id,
        aud: sign_in.application.to_string(),
        iat: now.as_second(),
        exp: (now + LIFETIME).as_second(),
        auth_time: sign_in.signed_in_at.as_second(),
        nonce: sign_in.nonce,
        email,
        email_verified: email.map(|_| true),
    };
    issuer.sign_identity(&claims, now).map(Some)
}
