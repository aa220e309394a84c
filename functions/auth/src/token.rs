//! Access tokens: JWTs in the profile of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068), signed
//! with Ed25519 (`EdDSA`, RFC 8037).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use shared::Error;
use shared::cached::Cached;
use shared::clock::Clock;
use shared::id::{Id, Ids, Kind, SessionId, TenantId, UserId};
use shared::scopes::TenantRole;

use crate::cookie::BrowserKey;
use crate::keys::{IdentityKey, KEYS_LIFETIME, KeyRing, PrivateKeys, SigningKey};
use crate::oauth::application::ApplicationId;
use crate::passkey::{PasskeyKey, RelyingParty};
use crate::provider::AttemptKey;
use crate::second_factor::{ChallengeKey, FactorKeys};
use crate::session::RefreshKey;

/// The lifetime of an access token.
pub const LIFETIME: Duration = Duration::from_mins(15);

/// The token's type. The verifier rejects every signed token that is not an access token.
const TYPE: &str = "at+jwt";
/// The token's audience: this API.
pub const AUDIENCE: &str = "arsenal";
/// The client of a token that is no application's: this API, where the user signed in.
const OURSELVES: &str = AUDIENCE;

/// A token's id.
#[derive(Debug)]
pub enum Token {}
impl Kind for Token {
    const PREFIX: &'static str = "tok";
}

/// The claims of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer.
    pub iss: String,
    /// The audience.
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The tenant that the user acts for.
    pub tenant: TenantId,
    /// The user's role there, as it was at the issue. Absent in the user's own tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<TenantRole>,
    /// The session. The token of an application that acts for itself has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The application that got the token, or [`AUDIENCE`] if the user signed in by the API itself.
    pub client_id: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// The time of issue, in seconds since 1970.
    pub iat: i64,
    /// The time before which the token is not valid, in seconds since 1970. Our tokens have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The time of expiry, in seconds since 1970.
    pub exp: i64,
    /// The token's id.
    pub jti: Id<Token>,
}

impl Claims {
    /// The application that got the token; `None` if the user signed in by the API itself.
    ///
    /// # Errors
    /// When it is the id of none.
    pub fn application(&self) -> Result<Option<ApplicationId>, shared::id::InvalidId> {
        (self.client_id != OURSELVES).then(|| self.client_id.parse()).transpose()
    }
}

/// For whom a token is issued, and what for.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The user.
    pub user: UserId,
    /// The tenant that the user acts for.
    pub tenant: TenantId,
    /// The user's role there, if it is not the user's own.
    pub role: Option<TenantRole>,
    /// The session, if there is one.
    pub session: Option<SessionId>,
    /// The application, if it is for one.
    pub application: Option<ApplicationId>,
    /// The scopes, separated by spaces.
    pub scope: String,
}

/// How far the clock of an issuer may be ahead, in seconds.
const SKEW: i64 = 5;

/// The header of an access token: these three members, and no other.
fn header_of(kid: Option<String>) -> Header {
    Header { typ: Some(TYPE.into()), kid, ..Header::new(Algorithm::EdDSA) }
}

/// Makes tokens, with keys that are read again each [`KEYS_LIFETIME`].
#[derive(Clone, Debug)]
pub struct Issuers {
    name: String,
    keys: PrivateKeys,
    cached: Arc<Cached<Issuer>>,
}

impl Issuers {
    /// The issuer called `name`, with `keys`.
    #[must_use]
    pub fn new(name: String, keys: PrivateKeys, clock: Clock) -> Self {
        Self { name, keys, cached: Arc::new(Cached::new(KEYS_LIFETIME, clock)) }
    }

    /// The issuer.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn current(&self) -> shared::Result<Arc<Issuer>> {
        let fetch = async || Issuer::new(self.name.clone(), &self.keys.current().await?);
        self.cached.get(fetch).await
    }
}

/// Signs access tokens and ID tokens, and makes refresh tokens, challenges and cookies. It has the keys of second factors too,
/// because they are in the same secret.
pub struct Issuer {
    name: String,
    keys: Vec<Signing>,
    identity: Vec<IdentityKey>,
    refresh: RefreshKey,
    browsers: BrowserKey,
    challenges: ChallengeKey,
    attempts: AttemptKey,
    passkeys: PasskeyKey,
    factors: Option<FactorKeys>,
}

/// A key that signs from a time on.
struct Signing {
    since: Timestamp,
    id: String,
    key: EncodingKey,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Issuer {
    /// An issuer called `name` with these keys.
    pub fn new(name: String, ring: &KeyRing) -> shared::Result<Self> {
        let keys = ring
            .signing()
            .iter()
            .map(|key| Ok(Signing { since: key.since(), id: key.id()?, key: key.encoding_key() }));
        let identity = ring.identity().iter().map(SigningKey::identity);
        Ok(Self {
            name,
            keys: keys.collect::<shared::Result<_>>()?,
            identity: identity.collect::<shared::Result<_>>()?,
            refresh: ring.refresh(),
            browsers: ring.browsers()?,
            challenges: ring.challenges()?,
            attempts: ring.attempts()?,
            passkeys: ring.passkeys()?,
            factors: ring.factors()?,
        })
    }

    /// The issuer's name: the claim `iss`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The host of the issuer's URL, by which people know it.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.name.split_once("://").map_or(self.name.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The key of refresh tokens.
    #[must_use]
    pub fn refresh(&self) -> &RefreshKey {
        &self.refresh
    }

    /// The key of cookies.
    #[must_use]
    pub fn browsers(&self) -> &BrowserKey {
        &self.browsers
    }

    /// The key of attempts to sign in at providers.
    #[must_use]
    pub fn attempts(&self) -> &AttemptKey {
        &self.attempts
    }

    /// The key of challenges.
    #[must_use]
    pub fn challenges(&self) -> &ChallengeKey {
        &self.challenges
    }

    /// The key of challenges of passkeys.
    #[must_use]
    pub fn passkeys(&self) -> &PasskeyKey {
        &self.passkeys
    }

    /// Where passkeys are good.
    ///
    /// # Errors
    /// When the name is no URL with a host.
    pub fn party(&self) -> shared::Result<RelyingParty> {
        RelyingParty::of(&self.name)
    }

    /// The keys of second factors.
    ///
    /// # Errors
    /// When the secret is from before there were second factors: the next rotation adds the key.
    pub fn factors(&self) -> shared::Result<&FactorKeys> {
        let lacks = "the secret of the keys has no key of second factors: rotate the keys";
        self.factors.as_ref().ok_or_else(|| Error::internal(lacks))
    }

    /// Issues an access token that is valid from `now` for [`LIFETIME`].
    ///
    /// # Errors
    /// When there is no key.
    pub fn issue(&self, subject: Subject, ids: &Ids, now: Timestamp) -> shared::Result<String> {
        let client = subject.application.map(|application| application.to_string());
        let claims = Claims {
            iss: self.name.clone(),
            aud: AUDIENCE.into(),
            sub: subject.user,
            tenant: subject.tenant,
            role: subject.role,
            sid: subject.session,
            client_id: client.unwrap_or_else(|| OURSELVES.into()),
            scope: subject.scope,
            iat: now.as_second(),
            nbf: None,
            exp: (now + LIFETIME).as_second(),
            jti: ids.next(),
        };
        let Signing { id, key, .. } = current(&self.keys, |key| key.since, now)?;
        Ok(jsonwebtoken::encode(&header_of(Some(id.clone())), &claims, key)?)
    }

    /// Signs the claims of an ID token.
    ///
    /// # Errors
    /// When there is no key.
    pub fn sign_identity(&self, claims: &impl Serialize, now: Timestamp) -> shared::Result<String> {
        current(&self.identity, |key| key.since, now)?.sign(claims)
    }
}

/// The newest key whose time has come. If that of none has come, the clock is wrong, and the first signs.
fn current<K>(keys: &[K], since: impl Fn(&K) -> Timestamp, now: Timestamp) -> shared::Result<&K> {
    let signs = keys.iter().rev().find(|key| since(key) <= now);
    signs.or(keys.first()).ok_or_else(|| Error::internal("there is no signing key"))
}

/// Checks tokens.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: JwkSet,
    validation: Validation,
}

/// Why a token is rejected. For the log only: the response does not contain the reason.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// The header is not as we write it: another type or algorithm, or a member that names or brings a key, or
    /// that a reader must understand (`jwk`, `jku`, `x5c`, `crit` and others).
    #[error("the header is not that of an access token")]
    Header,
    /// None of our keys has the header's `kid`.
    #[error("signed with an unknown key")]
    Key,
    /// The token has expired.
    #[error("expired")]
    Expired,
    /// The token is not valid yet.
    #[error("not valid yet")]
    Early,
    /// The token is malformed, or its signature, algorithm, issuer or audience is wrong.
    #[error(transparent)]
    Invalid(#[from] jsonwebtoken::errors::Error),
}

impl Verifier {
    /// A verifier of the tokens that `issuer` signs with one of `keys`.
    #[must_use]
    pub fn new(issuer: &str, keys: JwkSet) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // `verify` checks the times against its argument `now`.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { keys, validation }
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// The claims of `token`, if we issued it and it has not expired at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Rejected> {
        let header = jsonwebtoken::decode_header(token)?;
        if header != header_of(header.kid.clone()) {
            return Err(Rejected::Header);
        }
        let key = header.kid.and_then(|kid| self.keys.find(&kid)).ok_or(Rejected::Key)?;
        let key = DecodingKey::from_jwk(key)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.validation)?.claims;
        if claims.exp <= now.as_second() {
            return Err(Rejected::Expired);
        }
        if claims.nbf.is_some_and(|nbf| nbf > now.as_second() + SKEW) {
            return Err(Rejected::Early);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests;
