//! API Gateway's authorizer: payload format 2.0, simple responses.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2CustomAuthorizerSimpleResponse;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use serde_json::Value;
use shared::Result;
use shared::cached::Cached;
use shared::clock::Clock;
use shared::http::SignedIn;
use shared::program::Environment;

use crate::api_key::{self, Secret};
use crate::keys::{KEYS_LIFETIME, PublicKeys};
use crate::store::Users;
use crate::system;
use crate::token::{Claims, Rejected, Verifier};

/// How old the cached keys must be before a token with an unknown key makes the authorizer read them again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let authorizer = system::authorizer(environment).await?;
    environment.connect().await;
    shared::invocation::run(async |request, _| authorizer.answer(&request).await).await
}

/// The answer: whether the request may pass, and the user's data for the function.
pub type Answer = ApiGatewayV2CustomAuthorizerSimpleResponse<Option<Value>>;

/// Decides whether requests may pass.
#[derive(Clone, Debug)]
pub struct Authorizer {
    issuer: String,
    keys: PublicKeys,
    users: Users,
    clock: Clock,
    cached: Arc<Cached<Verifier>>,
}

impl Authorizer {
    /// An authorizer of tokens that `issuer` signs with one of `keys`.
    #[must_use]
    pub fn new(issuer: String, keys: PublicKeys, users: Users, clock: Clock) -> Self {
        let cached = Arc::new(Cached::new(KEYS_LIFETIME, clock.clone()));
        Self { issuer, keys, users, clock, cached }
    }

    /// Decides whether the request may pass: it has an access token of ours, whose session is alive, or the secret of an
    /// [API key](crate::api_key). If not, API Gateway answers 403. Without an `Authorization` header, API Gateway answers
    /// 401 and does not call the authorizer. Only this header of the event is read, so that no other input of a caller can make the
    /// authorizer fail. Two such headers, or two tokens in one, are refused: another reader could take the other
    /// one.
    ///
    /// # Errors
    /// When the keys, the session or the API key cannot be read. Then no request passes.
    pub async fn answer(&self, event: &Value) -> Result<Answer> {
        let mut answer = Answer::default();
        match self.signed_in(event).await? {
            Ok(user) => {
                answer.is_authorized = true;
                answer.context = Some(serde_json::to_value(user)?);
            }
            Err(reason) => tracing::info!(reason, "request refused"),
        }
        Ok(answer)
    }

    /// The user, or the reason of the refusal.
    async fn signed_in(&self, event: &Value) -> Result<Result<SignedIn, String>> {
        let Some(token) = token(event) else { return Ok(Err("no bearer token".to_owned())) };
        if token.starts_with(api_key::PREFIX) {
            return self.by_api_key(token, self.clock.now()).await;
        }
        Ok(self.claims(token).await?.and_then(|claims| {
            signed_in(claims).ok_or_else(|| "the expiry is out of range".to_owned())
        }))
    }

    /// The claims of an access token that is good now: we signed it, it has not expired, its session is alive, and the
    /// application that got it exists. Otherwise the reason.
    ///
    /// # Errors
    /// When the keys, the session or the application cannot be read.
    pub async fn claims(&self, token: &str) -> Result<Result<Claims, String>> {
        let now = self.clock.now();
        let mut verified = self.verifier(KEYS_LIFETIME).await?.verify(token, now);
        if matches!(verified, Err(Rejected::Key)) {
            verified = self.verifier(LOOK_AGAIN).await?.verify(token, now);
        }
        let claims = match verified {
            Ok(claims) => claims,
            Err(rejected) => return Ok(Err(rejected.to_string())),
        };
        let is_alive = self.is_alive(&claims, now).await?;
        Ok(if is_alive { Ok(claims) } else { Err("the session has ended".to_owned()) })
    }

    /// Whether what the token stands for is alive: the session, or the application that acts for itself.
    async fn is_alive(&self, claims: &Claims, now: Timestamp) -> Result<bool> {
        let Ok(application) = claims.application() else { return Ok(false) };
        match (claims.sid, application) {
            (Some(session), _) => {
                let (session, tenant) = ((claims.sub, session), (claims.tenant, claims.role));
                self.users.is_alive(session, tenant, application, now).await
            }
            (None, Some(application)) => {
                let known = self.users.application(application).await?;
                Ok(known.is_some_and(|known| known.application.user == claims.sub))
            }
            (None, None) => Ok(false),
        }
    }

    /// The public keys, as the authorizer has read them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn keys(&self) -> Result<JwkSet> {
        Ok(self.verifier(KEYS_LIFETIME).await?.keys().clone())
    }

    /// The user of an API key, or the reason of the refusal. A text with a wrong checksum costs no request.
    async fn by_api_key(&self, text: &str, now: Timestamp) -> Result<Result<SignedIn, String>> {
        let Some(secret) = Secret::read(text) else {
            return Ok(Err("a wrong checksum of an API key".to_owned()));
        };
        let Secret { user, key, .. } = secret;
        let found = self.users.api_key_with_account(user, key).await?;
        let Some((key, account)) = found else { return Ok(Err(format!("there is no {key}"))) };
        let Some(actor) = self.users.actor(account.user, key.tenant).await? else {
            return Ok(Err(format!("the user of {} is no member of its tenant", key.id)));
        };
        let Some(signed_in) = key.admit(&actor, &secret, now) else {
            return Ok(Err(format!("the secret of {} is not good any more", key.id)));
        };
        if key.notes_use(now)
            && let Err(error) = self.users.note_use(&key, now).await
        {
            // The note is for the user's list. The next request makes it.
            tracing::warn!(api_key = %key.id, error = error.trail(), "a use is not noted");
        }
        Ok(Ok(signed_in))
    }

    /// The verifier, with keys that are at most this old, or older ones while Secrets Manager does not answer.
    async fn verifier(&self, age: Duration) -> Result<Arc<Verifier>> {
        let fetch = async || Ok(Verifier::new(&self.issuer, self.keys.current().await?));
        self.cached.younger_than(age, fetch).await
    }
}

/// The bearer token of a request.
fn token(event: &Value) -> Option<&str> {
    let headers = event["headers"].as_object().into_iter().flatten();
    let mut named = headers.filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match (named.next(), named.next()) {
        (Some((_, value)), None) => value.as_str().and_then(bearer),
        _ => None,
    }
}

/// The bearer token of an `Authorization` header. The scheme is case-insensitive (RFC 9110).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn signed_in(claims: Claims) -> Option<SignedIn> {
    let application = claims.application().ok()?.map(|application| application.to_string());
    Some(SignedIn {
        user: claims.sub,
        tenant: claims.tenant,
        session: claims.sid,
        application,
        scope: claims.scope,
        expires_at: Timestamp::from_second(claims.exp).ok()?,
    })
}
