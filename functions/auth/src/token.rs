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

use crate::keys::{KEYS_LIFETIME, KeyRing, PrivateKeys};
use crate::second_factor::{ChallengeKey, FactorKeys};
use crate::session::RefreshKey;
use crate::user::User;

/// The lifetime of an access token.
pub const LIFETIME: Duration = Duration::from_mins(15);

/// The token's type. The verifier rejects every signed token that is not an access token.
const TYPE: &str = "at+jwt";
/// The token's audience: this API.
const AUDIENCE: &str = "arsenal";

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
    /// The session.
    pub sid: SessionId,
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

/// Signs access tokens, and makes refresh tokens and challenges. It has the keys of second factors too, because they are in
/// the same secret.
pub struct Issuer {
    name: String,
    keys: Vec<Signing>,
    refresh: RefreshKey,
    challenges: ChallengeKey,
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
        let keys = keys.collect::<shared::Result<_>>()?;
        let (challenges, factors) = (ring.challenges()?, ring.factors()?);
        Ok(Self { name, keys, refresh: ring.refresh(), challenges, factors })
    }

    /// The issuer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key of refresh tokens.
    #[must_use]
    pub fn refresh(&self) -> &RefreshKey {
        &self.refresh
    }

    /// The key of challenges.
    #[must_use]
    pub fn challenges(&self) -> &ChallengeKey {
        &self.challenges
    }

    /// The keys of second factors.
    ///
    /// # Errors
    /// When the secret is from before there were second factors: the next rotation adds the key.
    pub fn factors(&self) -> shared::Result<&FactorKeys> {
        let lacks = "the secret of the keys has no key of second factors: rotate the keys";
        self.factors.as_ref().ok_or_else(|| Error::internal(lacks))
    }

    /// Issues an access token of `session` for `user` that is valid from `now` for [`LIFETIME`].
    ///
    /// # Errors
    /// When there is no key.
    pub fn issue(
        &self,
        user: &User,
        session: SessionId,
        ids: &Ids,
        now: Timestamp,
    ) -> shared::Result<String> {
        let claims = Claims {
            iss: self.name.clone(),
            aud: AUDIENCE.into(),
            sub: user.id,
            tenant: user.tenant,
            sid: session,
            scope: user.scope(),
            iat: now.as_second(),
            nbf: None,
            exp: (now + LIFETIME).as_second(),
            jti: ids.next(),
        };
        let Signing { id, key, .. } = self.key(now)?;
        Ok(jsonwebtoken::encode(&header_of(Some(id.clone())), &claims, key)?)
    }

    /// The newest key whose time has come. If that of none has come, the clock is wrong, and the first signs.
    fn key(&self, now: Timestamp) -> shared::Result<&Signing> {
        let signs = self.keys.iter().rev().find(|key| key.since <= now);
        signs.or(self.keys.first()).ok_or_else(|| Error::internal("there is no signing key"))
    }
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
