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

use crate::keys::{KeyRing, PrivateKeys};
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

/// How old the keys may be that tokens are signed with.
const KEYS_LIFETIME: Duration = Duration::from_mins(1);

/// Makes tokens, with keys that are at most a minute old.
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

/// Signs access tokens, and makes refresh tokens.
pub struct Issuer {
    name: String,
    keys: Vec<Signing>,
    refresh: RefreshKey,
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
        Ok(Self { name, keys: keys.collect::<shared::Result<_>>()?, refresh: ring.refresh() })
    }

    /// The key of refresh tokens.
    #[must_use]
    pub fn refresh(&self) -> &RefreshKey {
        &self.refresh
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
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::{Value, json};
    use shared::clock::Clock;

    use super::*;
    use crate::keys::LEAD;

    const NOW: &str = "2026-11-21T10:00:00Z";

    struct Fixture {
        issuer: Issuer,
        verifier: Verifier,
        claims: Value,
        now: Timestamp,
    }

    fn fixture() -> Fixture {
        let now: Timestamp = NOW.parse().unwrap();
        let ring = KeyRing::generate(now).unwrap();
        let issuer = Issuer::new("arsenal-test".into(), &ring).unwrap();
        let verifier = Verifier::new("arsenal-test", ring.public().unwrap());
        let ids = Ids::sequential(Clock::manual(now));
        let user = User::register("ada@example.org".to_owned().try_into().unwrap(), &ids, now);
        let token = issuer.issue(&user, ids.next(), &ids, now).unwrap();
        let claims = serde_json::to_value(verifier.verify(&token, now).unwrap()).unwrap();
        Fixture { issuer, verifier, claims, now }
    }

    impl Fixture {
        fn sign(&self, header: &Header, claims: &Value) -> String {
            jsonwebtoken::encode(header, claims, &self.issuer.keys[0].key).unwrap()
        }
        fn header(&self) -> Header {
            header_of(Some(self.issuer.keys[0].id.clone()))
        }
        fn refuses(&self, token: &str) -> bool {
            self.verifier.verify(token, self.now).is_err()
        }
    }

    #[test]
    fn a_token_has_the_standard_claims() {
        let claims = fixture().claims;
        assert_eq!(claims["iss"], "arsenal-test");
        assert_eq!(claims["aud"], "arsenal");
        assert_eq!(
            claims["scope"],
            "account documents:read documents:write orders:read orders:write"
        );
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    }

    #[test]
    fn a_token_expires_to_the_second() {
        let f = fixture();
        let token = f.sign(&f.header(), &f.claims);
        let end = f.now + LIFETIME;
        assert!(f.verifier.verify(&token, end - Duration::from_secs(1)).is_ok());
        assert!(matches!(f.verifier.verify(&token, end), Err(Rejected::Expired)));
    }

    #[test]
    fn another_issuer_audience_or_a_missing_claim_is_refused() {
        let f = fixture();
        for (claim, value) in [("iss", json!("else")), ("aud", json!("else")), ("sub", json!("x"))]
        {
            let mut claims = f.claims.clone();
            claims[claim] = value;
            assert!(f.refuses(&f.sign(&f.header(), &claims)), "{claim}");
        }
        for claim in ["iss", "aud", "sub", "exp", "tenant", "scope", "sid"] {
            let mut claims = f.claims.clone();
            claims.as_object_mut().unwrap().remove(claim);
            assert!(f.refuses(&f.sign(&f.header(), &claims)), "{claim}");
        }
    }

    #[test]
    fn another_type_key_or_algorithm_is_refused() {
        let f = fixture();
        assert!(!f.refuses(&f.sign(&f.header(), &f.claims)));
        assert!(f.refuses(&f.sign(&Header { typ: Some("JWT".into()), ..f.header() }, &f.claims)));
        assert!(f.refuses(&f.sign(&Header { typ: None, ..f.header() }, &f.claims)));
        assert!(f.refuses(&f.sign(&Header { kid: None, ..f.header() }, &f.claims)));
        assert!(f.refuses(&f.sign(&Header { kid: Some("x".into()), ..f.header() }, &f.claims)));

        let other = KeyRing::generate(f.now).unwrap().signing()[0].encoding_key();
        assert!(f.refuses(&jsonwebtoken::encode(&f.header(), &f.claims, &other).unwrap()));

        // The algorithm confusion attack: the public key as an HMAC secret.
        let public = serde_json::to_vec(&f.verifier.keys).unwrap();
        let hmac = EncodingKey::from_secret(&public);
        let header = Header { alg: Algorithm::HS256, ..f.header() };
        assert!(f.refuses(&jsonwebtoken::encode(&header, &f.claims, &hmac).unwrap()));
    }

    #[test]
    fn a_header_that_brings_a_key_or_more_is_refused() {
        let f = fixture();
        let own = f.verifier.keys.keys[0].clone();
        for header in [
            Header { jwk: Some(own), ..f.header() },
            Header { jku: Some("https://example.org/keys".into()), ..f.header() },
            Header { x5u: Some("https://example.org/cert".into()), ..f.header() },
            Header { x5c: Some(vec!["AAAA".into()]), ..f.header() },
            Header { crit: Some(vec!["exp".into()]), ..f.header() },
            Header { crit: Some(Vec::new()), ..f.header() },
            Header { cty: Some("JWT".into()), ..f.header() },
            Header { kid: Some("../keys".into()), ..f.header() },
        ] {
            assert!(f.refuses(&f.sign(&header, &f.claims)), "{header:?}");
        }
        // Members that the library does not know.
        let key = &f.issuer.keys[0];
        for (name, value) in [("b64", json!(false)), ("x", json!(1)), ("typ", json!("at+jwt"))] {
            let header =
                format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{}","{name}":{value}}}"#, key.id);
            let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
            let content = format!("{}.{}", encode(header), encode(f.claims.to_string()));
            let signature =
                jsonwebtoken::crypto::sign(content.as_bytes(), &key.key, Algorithm::EdDSA).unwrap();
            assert!(f.refuses(&format!("{content}.{signature}")), "{name}");
        }
    }

    #[test]
    fn a_token_of_the_future_is_refused() {
        let f = fixture();
        for (ahead, is_valid) in [(-60, true), (SKEW, true), (SKEW + 1, false), (900, false)] {
            let mut claims = f.claims.clone();
            claims["nbf"] = json!(f.now.as_second() + ahead);
            assert_eq!(!f.refuses(&f.sign(&f.header(), &claims)), is_valid, "{ahead}");
        }
        for nbf in [json!("soon"), json!(1e300), json!(1.5)] {
            let mut claims = f.claims.clone();
            claims["nbf"] = nbf;
            assert!(f.refuses(&f.sign(&f.header(), &claims)));
        }
    }

    #[test]
    fn after_a_rotation_each_key_signs_in_its_time() {
        let now: Timestamp = NOW.parse().unwrap();
        let ring = KeyRing::generate(now).unwrap().rotated(now).unwrap();
        let issuer = Issuer::new("arsenal-test".into(), &ring).unwrap();
        let ids = Ids::sequential(Clock::manual(now));
        let user = User::register("ada@example.org".to_owned().try_into().unwrap(), &ids, now);
        let verifier = Verifier::new("arsenal-test", ring.public().unwrap());
        let signed_by = |at: Timestamp| {
            let token = issuer.issue(&user, ids.next(), &ids, at).unwrap();
            assert!(verifier.verify(&token, at).is_ok());
            jsonwebtoken::decode_header(&token).unwrap().kid.unwrap()
        };
        let kids: Vec<_> = ring.signing().iter().map(|key| key.id().unwrap()).collect();
        assert_eq!(signed_by(now - LEAD), kids[0], "the clock is behind");
        assert_eq!(signed_by(now + LEAD - Duration::from_secs(1)), kids[0]);
        assert_eq!(signed_by(now + LEAD), kids[1]);
    }

    #[test]
    fn an_unsigned_or_altered_token_is_refused() {
        let f = fixture();
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let none = json!({"alg": "none", "typ": TYPE, "kid": f.issuer.keys[0].id});
        assert!(f.refuses(&format!("{}.{}.", encode(&none), encode(&f.claims))));

        let token = f.sign(&f.header(), &f.claims);
        let parts: Vec<_> = token.split('.').collect();
        let mut claims = f.claims.clone();
        claims["scope"] = json!("admin");
        assert!(f.refuses(&format!("{}.{}.{}", parts[0], encode(&claims), parts[2])));
        assert!(f.refuses(&format!("{}.{}.", parts[0], parts[1])));
        assert!(f.refuses(""));
        assert!(f.refuses("a.b.c"));
    }
}
