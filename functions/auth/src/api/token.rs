//! `POST /v1/oauth/token`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json, Router};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::conflict::retried;
use shared::http::StatusCode;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use utoipa::ToSchema;

use super::caller::{Credentials, caller};
use super::refresh::REFRESHES;
use super::tokens::{TokenType, access, left};
use super::{NO_STORE, NoStore};
use crate::form::Fields;
use crate::oauth::application::{Application, Grant};
use crate::oauth::code::{Allowed, Code};
use crate::oauth::device::GRANT_TYPE;
use crate::oauth::error::{Code as ErrorCode, Failure, OAuthError};
use crate::oauth::id_token;
use crate::oauth::scope::Scopes;
use crate::session::{Client, Granted, Reason, Session};
use crate::store::{Exchanged, Rotated};
use crate::system::System;
use crate::token::{Issuer, Issuers, LIFETIME, Subject as TokenSubject};
use crate::user::User;

mod device;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The limit of requests that applications send from one address.
pub(super) fn limit(state: &System) -> Limit {
    state.per_address("applications", REFRESHES)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<OAuthTokens>(StatusCode::OK)
        .header("Cache-Control")
        .fails_with::<OAuthError>(&[StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED])
}

/// How an application gets tokens.
#[derive(Debug, Deserialize, ToSchema)]
struct TokenRequest {
    /// `authorization_code`, `refresh_token`, `client_credentials` or `urn:ietf:params:oauth:grant-type:device_code`.
    #[schema(example = "refresh_token")]
    grant_type: Option<String>,
    /// For `authorization_code`: what the browser brought.
    #[schema(value_type = Option<String>, format = Password)]
    code: Option<SecretString>,
    /// For `authorization_code`: the address that the browser was sent to.
    redirect_uri: Option<String>,
    /// For `authorization_code`: the secret of PKCE, whose hash was the `code_challenge`.
    #[schema(value_type = Option<String>, format = Password)]
    code_verifier: Option<SecretString>,
    /// For a device: the `device_code` of the answer with which it began.
    #[schema(value_type = Option<String>, format = Password)]
    device_code: Option<SecretString>,
    /// For `refresh_token`: the refresh token of the last answer.
    #[schema(value_type = Option<String>, format = Password)]
    refresh_token: Option<SecretString>,
    /// For `refresh_token` and `client_credentials`: the scopes that are wanted, separated by spaces. Without it, all that
    /// the user has allowed, or that the application may have.
    scope: Option<String>,
    #[serde(flatten)]
    #[schema(inline)]
    credentials: Credentials,
}

/// Tokens for an application.
#[derive(Serialize, ToSchema)]
struct OAuthTokens {
    /// The access token, a JSON Web Token (RFC 9068).
    access_token: String,
    token_type: TokenType,
    /// The access token's lifetime, in seconds.
    expires_in: u64,
    /// The scopes of the access token, separated by spaces.
    scope: String,
    /// The token for the next refresh, good once. Only for a user's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// The time after which the session ends if it is not refreshed, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<u64>,
    /// Who signed in, a JSON Web Token (OpenID Connect). Only for a code, or a device, whose scopes have
    /// `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// Gives tokens to an application: for the code that a browser brought, for a refresh token, for the secret of an
/// application that acts for itself, or to a device that a user has allowed. An application that has a secret sends it by HTTP Basic, or in the form.
#[utoipa::path(post, path = "/v1/oauth/token")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
    client: Client,
    Fields(request): Fields<TokenRequest>,
) -> Result<(NoStore, Json<OAuthTokens>), Failure> {
    let issuer = &*issuers.current().await?;
    let TokenRequest { grant_type, credentials, .. } = &request;
    let grant_type = grant_type.clone();
    let application = caller(&state, &headers, credentials.clone()).await?;
    let by = By { state: &state, issuer, application: &application, now: state.clock.now() };
    let tokens = match grant_type.as_deref() {
        Some("authorization_code") => by.code(request, client).await?,
        Some("refresh_token") => by.refresh_token(request, &client).await?,
        Some("client_credentials") => by.itself(request.scope.as_deref())?,
        Some(GRANT_TYPE) => by.device_code(request.device_code, client).await?,
        Some(_) => return Err(UNSUPPORTED.into()),
        None => return Err(invalid_request("grant_type is missing").into()),
    };
    Ok((NO_STORE, Json(tokens)))
}

const UNSUPPORTED: OAuthError = OAuthError::new(
    ErrorCode::UnsupportedGrantType,
    "grant_type is authorization_code, refresh_token, client_credentials or urn:ietf:params:oauth:grant-type:device_code",
);

/// The same for each reason, which is in the log only.
const INVALID_CODE: OAuthError = OAuthError::new(
    ErrorCode::InvalidGrant,
    "the code was used, has expired, or is of another application, address or code_verifier",
);
const INVALID_REFRESH_TOKEN: OAuthError =
    OAuthError::new(ErrorCode::InvalidGrant, "the session has ended: the user must sign in again");

const fn invalid_request(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

/// The request of an application.
struct By<'a> {
    state: &'a System,
    issuer: &'a Issuer,
    application: &'a Application,
    now: Timestamp,
}

impl By<'_> {
    /// Tokens for the code that a browser brought: begins a session.
    async fn code(&self, request: TokenRequest, client: Client) -> Result<OAuthTokens, Failure> {
        check(self.application, Grant::AuthorizationCode)?;
        let code = request.code.ok_or(invalid_request("code is missing"))?;
        let verifier = request.code_verifier.ok_or(invalid_request("code_verifier is missing"))?;
        let address = request.redirect_uri.ok_or(invalid_request("redirect_uri is missing"))?;
        let code = Code::try_from(code).map_err(|_| INVALID_CODE)?;
        let allowed = self.state.users.code(&code).await?.ok_or(INVALID_CODE)?;
        let is_theirs = allowed.application == self.application.id
            && allowed.redirect_uri == address
            && allowed.challenge.is_of(verifier.expose_secret());
        if !is_theirs {
            return Err(INVALID_CODE.into());
        }
        if allowed.began.is_some() {
            return self.reused(&allowed).await;
        }
        let account = self.state.users.account(allowed.user).await?.ok_or(INVALID_CODE)?;
        // A change of the password meanwhile, or a sign-out everywhere, ends what was allowed before.
        if account.epoch != allowed.epoch {
            return Err(INVALID_CODE.into());
        }
        let granted = Granted { id: self.application.id, scopes: allowed.scopes.clone() };
        let id = self.state.ids.next();
        let session = Session::begun(id, &account.user, account.epoch, client, self.now);
        let session = session.of_application(granted);
        // Before the code is used, so that a failure leaves it good.
        let id_token = id_token::issue(self.issuer, allowed.sign_in(), &account.user, self.now)?;
        if self.state.users.exchange(&code, &session, self.now).await? == Exchanged::Refused {
            let again = self.state.users.code(&code).await?.ok_or(INVALID_CODE)?;
            return self.reused(&again).await;
        }
        let (user_id, application) = (account.user.id, self.application.id);
        tracing::info!(%user_id, %application, session_id = %session.id, "signed in");
        self.tokens(&account.user, &session, &granted_scopes(&session), id_token)
    }

    /// Refuses a code that has begun a session before, which ends: somebody else may have the code.
    async fn reused(&self, allowed: &Allowed) -> Result<OAuthTokens, Failure> {
        if let Some(session) = allowed.began {
            let users = &self.state.users;
            users.end_session(allowed.user, session, Reason::CodeReused, self.now).await?;
            let (user_id, session_id) = (allowed.user, session);
            tracing::warn!(%user_id, %session_id, "a code was used again: the session is ended");
        }
        Err(INVALID_CODE.into())
    }

    /// The next tokens of a session.
    async fn refresh_token(
        &self,
        request: TokenRequest,
        client: &Client,
    ) -> Result<OAuthTokens, Failure> {
        let token = request.refresh_token.ok_or(invalid_request("refresh_token is missing"))?;
        let token = self.issuer.refresh().read(token.expose_secret());
        let token = token.ok_or(INVALID_REFRESH_TOKEN)?;
        if let Some(scope) = &request.scope {
            // Nothing is replaced for a request that asks for what the user has not allowed.
            let session = self.state.users.session(token.user, token.session).await?;
            let session = session.ok_or(INVALID_REFRESH_TOKEN)?;
            wanted(Some(scope), &granted_scopes(&session))?;
        }
        let by = (client, Some(self.application.id));
        let found = retried(async || {
            let Some(account) = self.state.users.account(token.user).await? else {
                return Ok(Some(None));
            };
            let rotated = self.state.users.rotate(token, account.epoch, by, self.now).await?;
            let is_last = rotated != Rotated::AccountChanged;
            Ok(is_last.then_some(Some((account.user, rotated))))
        })
        .await?;
        match found {
            Some((user, Rotated::Session(session))) => {
                let granted = granted_scopes(&session);
                let wanted = wanted(request.scope.as_deref(), &granted)?;
                self.tokens(&user, &session, &wanted, None)
            }
            Some((_, Rotated::Reused)) => {
                let (user_id, session_id) = (token.user, token.session);
                tracing::warn!(%user_id, %session_id, "a refresh token was used again: the session is ended");
                Err(INVALID_REFRESH_TOKEN.into())
            }
            _ => Err(INVALID_REFRESH_TOKEN.into()),
        }
    }

    /// A token of the application itself.
    fn itself(&self, scope: Option<&str>) -> Result<OAuthTokens, Failure> {
        check(self.application, Grant::ClientCredentials)?;
        let scopes = wanted(scope, &self.application.scopes.of_machine())?;
        let subject = TokenSubject {
            user: self.application.user,
            tenant: self.application.tenant,
            role: None,
            session: None,
            application: Some(self.application.id),
            scope: scopes.to_string(),
        };
        let access_token = self.issuer.issue(subject, &self.state.ids, self.now)?;
        Ok(OAuthTokens {
            access_token,
            token_type: TokenType::Bearer,
            expires_in: LIFETIME.as_secs(),
            scope: scopes.to_string(),
            refresh_token: None,
            refresh_expires_in: None,
            id_token: None,
        })
    }

    /// The tokens of a user's session, with these scopes or fewer.
    fn tokens(
        &self,
        user: &User,
        session: &Session,
        scopes: &Scopes,
        id_token: Option<String>,
    ) -> Result<OAuthTokens, Failure> {
        let scopes = scopes.of_user(user).within(&self.application.scopes);
        let access_token =
            access(self.state, self.issuer, (session, None, &scopes.to_string()), self.now)?;
        let refresh_token = self.issuer.refresh().write(&session.token());
        Ok(OAuthTokens {
            access_token,
            token_type: TokenType::Bearer,
            expires_in: LIFETIME.as_secs(),
            scope: scopes.to_string(),
            refresh_token: Some(refresh_token.expose_secret().to_owned()),
            refresh_expires_in: Some(left(session, self.now)),
            id_token,
        })
    }
}

/// Checks that the application may get tokens in this way.
pub(super) fn check(application: &Application, grant: Grant) -> Result<(), OAuthError> {
    let description = "the application is not registered for this grant_type";
    let refused = OAuthError::new(ErrorCode::UnauthorizedClient, description);
    if application.may(grant) { Ok(()) } else { Err(refused) }
}

/// What the user has allowed the application of this session.
fn granted_scopes(session: &Session) -> Scopes {
    session.application.as_ref().map(|granted| granted.scopes.clone()).unwrap_or_default()
}

/// The scopes that a request names, of these; all without a name.
pub(super) fn wanted(scope: Option<&str>, of: &Scopes) -> Result<Scopes, OAuthError> {
    let Some(scope) = scope else { return Ok(of.clone()) };
    let wanted = Scopes::asked(scope).within(of);
    if wanted.is_empty() {
        let description = "the application may have none of these scopes";
        return Err(OAuthError::new(ErrorCode::InvalidScope, description));
    }
    Ok(wanted)
}
