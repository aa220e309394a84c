//! What an application asks for, by the browser of a user
//! ([RFC 6749, 4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1), OpenID Connect Core 1.0, 3.1.2.1).

use std::time::Duration;

use jiff::Timestamp;

use super::application::{Application, Grant};
use super::error::{Code, OAuthError};
use super::pkce::{self, Challenge};
use super::scope::Scopes;
use crate::form::Form;

/// The maximum length of `nonce`, in bytes: it is stored with the code.
const MAX_NONCE: usize = 512;

/// What a browser brings: the request, whose application and address are checked before.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the user is asked to allow.
    pub scopes: Scopes,
    /// The hash of what only the application knows.
    pub challenge: Challenge,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// Whom to ask what.
    pub prompt: Prompt,
    /// How long ago the user may have given the password.
    pub max_age: Option<Duration>,
    /// The address that the user may want to sign in with.
    pub login_hint: String,
}

/// Whether the user is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prompt {
    /// If it is needed.
    #[default]
    Needed,
    /// Never: without an answer, the application gets an error.
    None,
    /// For the password, also if somebody is signed in.
    Login,
    /// To allow it, also if the application is one of ours.
    Consent,
}

impl Prompt {
    fn read(text: &str) -> Result<Self, OAuthError> {
        let wanted: Vec<_> = text.split(' ').filter(|it| !it.is_empty()).collect();
        match &wanted[..] {
            [] => Ok(Self::Needed),
            ["none"] => Ok(Self::None),
            several if several.contains(&"none") => {
                Err(invalid("prompt=none excludes every other prompt"))
            }
            // After it, the user is asked to allow the application, unless it is one of ours.
            several if several.iter().any(|it| ["login", "select_account"].contains(it)) => {
                Ok(Self::Login)
            }
            several if several.contains(&"consent") => Ok(Self::Consent),
            _ => Ok(Self::Needed),
        }
    }
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(Code::InvalidRequest, description)
}

impl Request {
    /// The request of this application. The scopes are those that the application may ask for.
    ///
    /// # Errors
    /// What the application is told.
    pub fn read(form: &Form, application: &Application) -> Result<Self, OAuthError> {
        if !form.text("request").is_empty() {
            return Err(OAuthError::new(
                Code::RequestNotSupported,
                "send the parameters themselves",
            ));
        }
        if !form.text("request_uri").is_empty() {
            let description = "send the parameters themselves";
            return Err(OAuthError::new(Code::RequestUriNotSupported, description));
        }
        if !form.text("id_token_hint").is_empty() {
            return Err(invalid("id_token_hint is not supported: send login_hint"));
        }
        match form.text("response_type") {
            "code" => {}
            "" => return Err(invalid("response_type is missing")),
            _ => {
                let description = "response_type must be code";
                return Err(OAuthError::new(Code::UnsupportedResponseType, description));
            }
        }
        if !["", "query"].contains(&form.text("response_mode")) {
            return Err(invalid("response_mode must be query"));
        }
        if !application.may(Grant::AuthorizationCode) {
            let description = "the application is not registered for authorization_code";
            return Err(OAuthError::new(Code::UnauthorizedClient, description));
        }
        if form.text("code_challenge_method") != pkce::METHOD {
            return Err(invalid("code_challenge_method must be S256"));
        }
        let challenge = Challenge::read(form.text("code_challenge"));
        let challenge =
            challenge.ok_or(invalid("code_challenge must be a SHA-256 in base64url"))?;
        let nonce = Some(form.text("nonce")).filter(|nonce| !nonce.is_empty());
        if nonce.is_some_and(|nonce| nonce.len() > MAX_NONCE) {
            return Err(invalid("nonce is longer than 512 bytes"));
        }
        let max_age = match form.text("max_age") {
            "" => None,
            text => Some(text.parse().map_err(|_| invalid("max_age must be a number of seconds"))?),
        };
        let scopes = Scopes::asked(form.text("scope")).within(&application.scopes);
        if scopes.is_empty() {
            let description = "the application may have none of these scopes";
            return Err(OAuthError::new(Code::InvalidScope, description));
        }
        Ok(Self {
            scopes,
            challenge,
            nonce: nonce.map(str::to_owned),
            prompt: Prompt::read(form.text("prompt"))?,
            max_age: max_age.map(Duration::from_secs),
            login_hint: form.text("login_hint").to_owned(),
        })
    }

    /// Whether a user who gave the password at this time must give it again.
    #[must_use]
    pub fn is_too_old(&self, signed_in_at: Timestamp, now: Timestamp) -> bool {
        let age = now.duration_since(signed_in_at);
        let is_old = |max: Duration| Duration::try_from(age).is_ok_and(|age| age > max);
        self.prompt == Prompt::Login || self.max_age.is_some_and(is_old)
    }
}
