//! Builds what the Lambdas of auth share, from environment variables.

use std::time::Duration;

use axum::extract::FromRef;
use shared::Result;
use shared::audit::AuditLog;
use shared::clock::Clock;
use shared::config::var;
use shared::http::rate_limit::{Limit, Subject, Unavailable};
use shared::id::Ids;
use shared::program::Environment;
use shared::queue::Queue;
use shared::rate_limit::{Quota, RateLimiter};

use crate::authorize::Authorizer;
use crate::keys::{PrivateKeys, PublicKeys};
use crate::letters::Pages;
use crate::mail::Mailer;
use crate::provider::{Clients, Providers};
use crate::store::Users;
use crate::token::Issuers;

/// The state of the auth endpoints.
#[derive(Clone, Debug)]
pub struct System {
    /// The users' table.
    pub users: Users,
    /// Rate limits.
    pub limiter: RateLimiter,
    /// The maximum number of sign-ins from one source IP address per minute, and of registrations.
    pub per_minute: u32,
    /// The clock.
    pub clock: Clock,
    /// Creates ids.
    pub ids: Ids,
    /// The outside providers whose buttons the page of the sign-in shows.
    pub providers: Providers,
}

impl FromRef<System> for Clock {
    fn from_ref(system: &System) -> Self {
        system.clock.clone()
    }
}

impl System {
    /// Reads the configuration from the function's environment.
    pub fn load(environment: &Environment) -> Result<Self> {
        Ok(Self {
            users: users(environment)?,
            limiter: environment.limiter()?,
            per_minute: var("SIGN_INS_PER_MINUTE")?,
            clock: environment.clock.clone(),
            ids: environment.ids(),
            providers: Providers::default(),
        })
    }

    /// The limit of changes that one user makes of keys and of all sessions, together. Each is an entry of the audit log, which
    /// nobody deletes, and which one consumer writes for all users.
    pub(crate) fn per_user(&self) -> Limit {
        let quota = Quota::new("account-changes", self.per_minute, Duration::from_mins(1));
        Limit::per_user(quota, self.limiter.clone())
    }

    /// The limit `name` for one source IP address, of `times` as many requests as sign-ins, against guessing
    /// passwords and against the cost of hashing and of writes. If the limiter is unavailable, the request is
    /// refused: without DynamoDB, no sign-in would succeed anyway.
    pub(crate) fn per_address(&self, name: &'static str, times: u32) -> Limit {
        let limit = self.per_minute.saturating_mul(times);
        Limit {
            limiter: self.limiter.clone(),
            quota: Quota::new(name, limit, Duration::from_mins(1)),
            subject: Subject::SourceIp,
            unavailable: Unavailable::Refuse,
        }
    }
}

/// What makes tokens. It has read the keys, so that the first request does not wait for them.
pub async fn issuers(environment: &Environment) -> Result<Issuers> {
    let (name, keys) = (issuer_name()?, private_keys(environment)?);
    let issuers = Issuers::new(name, keys, environment.clock.clone());
    issuers.current().await?;
    Ok(issuers)
}

/// What checks access tokens. It has read the keys, too.
pub async fn authorizer(environment: &Environment) -> Result<Authorizer> {
    let authorizer = Authorizer::new(
        issuer_name()?,
        public_keys(environment)?,
        users(environment)?,
        environment.clock.clone(),
    );
    authorizer.keys().await?;
    Ok(authorizer)
}

/// The users' table.
pub fn users(environment: &Environment) -> Result<Users> {
    Ok(Users::new(environment.dynamodb.clone(), var("AUTH_TABLE")?))
}

/// The issuer's name, the claim `iss`: the URL of the API. The text `{api}` in it stands for the id of the API, which nobody
/// knows before the first deployment.
pub fn issuer_name() -> Result<String> {
    let (url, api) = (var::<String>("PUBLIC_URL")?, var::<String>("API_ID")?);
    Ok(url.replace("{api}", &api))
}

/// The private keys.
pub fn private_keys(environment: &Environment) -> Result<PrivateKeys> {
    let client = aws_sdk_secretsmanager::Client::new(&environment.aws);
    Ok(PrivateKeys::new(client, var("SIGNING_KEY_SECRET")?))
}

/// The public keys.
pub fn public_keys(environment: &Environment) -> Result<PublicKeys> {
    let client = aws_sdk_secretsmanager::Client::new(&environment.aws);
    Ok(PublicKeys::new(client, var("PUBLIC_KEYS_SECRET")?))
}

/// The audit log.
pub fn audit_log(environment: &Environment) -> Result<AuditLog> {
    Ok(AuditLog::new(environment.dynamodb.clone(), var("AUDIT_TABLE")?))
}

/// The queue of mails.
pub fn mails(environment: &Environment) -> Result<Queue> {
    environment.queue("MAILS_QUEUE_URL")
}

/// What sends mails.
pub fn mailer(environment: &Environment) -> Result<Mailer> {
    let client = aws_sdk_sesv2::Client::new(&environment.aws);
    Ok(Mailer::new(client, var("MAIL_FROM")?))
}

/// What mails link to: pages of yours, or ours.
pub fn pages() -> Result<Pages> {
    let yours = var::<String>("PAGES_URL")?;
    if yours.is_empty() { own_pages() } else { Ok(Pages::new(&yours)) }
}

/// Our own pages.
pub fn own_pages() -> Result<Pages> {
    Ok(Pages::new(&format!("{}/auth", issuer_name()?)))
}

/// The outside providers that are configured.
pub fn providers() -> Result<Providers> {
    Ok(var("IDENTITY_PROVIDERS")?)
}

/// What signs users in at outside providers.
pub async fn provider_clients(environment: &Environment, providers: &Providers) -> Result<Clients> {
    let secrets = environment.secret("IDENTITY_PROVIDERS_SECRET").await?;
    Clients::new(providers, &secrets, &environment.clock)
}
