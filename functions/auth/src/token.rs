//! Access tokens: JWTs in the profile of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068), signed
//! with Ed25519 (`EdDSA`, RFC 8037).

use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use shared::id::{Id, Ids, Kind, TenantId, UserId};

use crate::keys::SigningKey;
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
    /// The scopes, separated by spaces.
    pub scope: String,
    /// The time of issue, in seconds since 1970.
    pub iat: i64,
    /// The time of expiry, in seconds since 1970.
    pub exp: i64,
    /// The token's id.
    pub jti: Id<Token>,
}

/// Signs tokens.
#[derive(Clone)]
pub struct Issuer {
    name: String,
    key_id: String,
    key: EncodingKey,
}

impl Issuer {
    /// An issuer called `name` that signs with `key`.
    pub fn new(name: String, key: &SigningKey) -> shared::Result<Self> {
        Ok(Self { name, key_id: key.id()?, key: key.encoding_key() })
    }

    /// Issues a token for `user` that is valid from `now` for [`LIFETIME`].
    pub fn issue(
        &self,
        user: &User,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            iss: self.name.clone(),
            aud: AUDIENCE.into(),
            sub: user.id,
            tenant: user.tenant,
            scope: user.scope(),
            iat: now.as_second(),
            exp: (now + LIFETIME).as_second(),
            jti: ids.next(),
        };
        let header = Header {
            typ: Some(TYPE.into()),
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
    }
}

/// Checks tokens.
#[derive(Clone)]
pub struct Verifier {
    keys: JwkSet,
    validation: Validation,
}

/// Why a token is rejected. For the log only: the response does not contain the reason.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// The header's `typ` is not the type of an access token.
    #[error("not an access token")]
    Type,
    /// None of our keys has the header's `kid`.
    #[error("signed with an unknown key")]
    Key,
    /// The token has expired.
    #[error("expired")]
    Expired,
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
        // `verify` checks the expiry against its argument `now`.
        validation.validate_exp = false;
        Self { keys, validation }
    }

    /// The claims of `token`, if we issued it and it has not expired at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Rejected> {
        let header = jsonwebtoken::decode_header(token)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(Rejected::Type);
        }
        let key = header.kid.and_then(|kid| self.keys.find(&kid)).ok_or(Rejected::Key)?;
        let key = DecodingKey::from_jwk(key)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.validation)?.claims;
        if claims.exp <= now.as_second() {
            return Err(Rejected::Expired);
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

    const NOW: &str = "2026-11-21T10:00:00Z";

    struct Fixture {
        issuer: Issuer,
        verifier: Verifier,
        claims: Value,
        now: Timestamp,
    }

    fn fixture() -> Fixture {
        let key = SigningKey::generate().unwrap();
        let issuer = Issuer::new("arsenal-test".into(), &key).unwrap();
        let verifier = Verifier::new("arsenal-test", key.public().unwrap());
        let now: Timestamp = NOW.parse().unwrap();
        let ids = Ids::sequential(Clock::manual(now));
        let user = User::register("ada@example.org".to_owned().try_into().unwrap(), &ids, now);
        let token = issuer.issue(&user, &ids, now).unwrap();
        let claims = serde_json::to_value(verifier.verify(&token, now).unwrap()).unwrap();
        Fixture { issuer, verifier, claims, now }
    }

    impl Fixture {
        fn sign(&self, header: &Header, claims: &Value) -> String {
            jsonwebtoken::encode(header, claims, &self.issuer.key).unwrap()
        }
        fn header(&self) -> Header {
            Header {
                typ: Some(TYPE.into()),
                kid: Some(self.issuer.key_id.clone()),
                ..Header::new(Algorithm::EdDSA)
            }
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
        assert_eq!(claims["scope"], "documents:read documents:write orders:read orders:write");
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
        for claim in ["iss", "aud", "sub", "exp", "tenant", "scope"] {
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

        let other = SigningKey::generate().unwrap().encoding_key();
        assert!(f.refuses(&jsonwebtoken::encode(&f.header(), &f.claims, &other).unwrap()));

        // The algorithm confusion attack: the public key as an HMAC secret.
        let public = serde_json::to_vec(&f.verifier.keys).unwrap();
        let hmac = EncodingKey::from_secret(&public);
        let header = Header { alg: Algorithm::HS256, ..f.header() };
        assert!(f.refuses(&jsonwebtoken::encode(&header, &f.claims, &hmac).unwrap()));
    }

    #[test]
    fn an_unsigned_or_altered_token_is_refused() {
        let f = fixture();
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let none = json!({"alg": "none", "typ": TYPE, "kid": f.issuer.key_id});
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
