//! ID tokens of providers ([OpenID Connect Core 1.0, 3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).
//!
//! **Guarantees.** A token counts only if it is signed with `RS256` or `ES256` by a key that the provider publishes for this
//! algorithm, and if its issuer is the provider, its only audience is ours, it repeats the nonce of the attempt, it was issued
//! during the attempt, and it has not expired. No key, URL or certificate in the token is looked at.

use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::attempt::{Attempt, LIFETIME};
use super::{Claimed, Provider};

/// How far the clock of a provider may be from ours, in seconds.
const SKEW: i64 = 60;
/// The maximum length of a subject: Core 1.0, section 2.
const MAX_SUBJECT: usize = 255;

/// The keys that a provider publishes: a JSON Web Key Set. Those of kinds that we do not know are left out (RFC 7517, section 5).
#[derive(Debug, Deserialize)]
pub(super) struct Keys {
    keys: Vec<Value>,
}

/// Why a token does not count. For the log only.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejected {
    #[error("the header is not one of RS256 or ES256")]
    Header,
    /// The provider may have a new key.
    #[error("no key, or more than one, could have signed it")]
    Key,
    #[error("the signature is wrong, or a claim is missing")]
    Signature,
    #[error("the issuer is another one")]
    Issuer,
    #[error("the audience is not ours alone")]
    Audience,
    #[error("it was issued to another client")]
    Client,
    #[error("it has expired")]
    Expired,
    #[error("it was not issued during the attempt")]
    IssuedAt,
    #[error("the nonce is another one")]
    Nonce,
    #[error("the subject is empty or too long")]
    Subject,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nonce: String,
    #[serde(flatten)]
    claimed: Claimed,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn is_only(&self, client: &str) -> bool {
        match self {
            Self::One(audience) => audience == client,
            Self::Several(audiences) => audiences.len() == 1 && audiences[0] == client,
        }
    }
}

impl Keys {
    /// The one key that can have signed a token with this header.
    fn key(&self, alg: Algorithm, kid: Option<&str>) -> Option<Jwk> {
        let keys = self.keys.iter().filter_map(|key| Jwk::deserialize(key).ok());
        let mut keys = keys.filter(|key| {
            let is_named = kid.is_none() || key.common.key_id.as_deref() == kid;
            is_named && signs_with(key, alg)
        });
        let only = keys.next();
        only.filter(|_| keys.next().is_none())
    }
}

fn signs_with(key: &Jwk, alg: Algorithm) -> bool {
    let of_key = match (&key.algorithm, alg) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => KeyAlgorithm::RS256,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256)
            if key.curve == EllipticCurve::P256 =>
        {
            KeyAlgorithm::ES256
        }
        _ => return false,
    };
    key.common.key_algorithm.is_none_or(|it| it == of_key)
        && key.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
}

/// The subject of a token, and what it says of the address.
pub(super) fn verify(
    token: &str,
    keys: &Keys,
    (provider, attempt): (&Provider, &Attempt),
    now: Timestamp,
) -> Result<(String, Claimed), Rejected> {
    let claims = signed(token, keys)?;
    let now = now.as_second();
    let began = attempt.expires - LIFETIME.as_secs().cast_signed();
    let is_of_client = claims.azp.as_ref().is_none_or(|azp| *azp == provider.client_id);
    let subject = claims.sub.len();
    for (holds, otherwise) in [
        (claims.iss == provider.issuer, Rejected::Issuer),
        (claims.aud.is_only(&provider.client_id), Rejected::Audience),
        (is_of_client, Rejected::Client),
        (now < claims.exp, Rejected::Expired),
        ((began - SKEW..=now + SKEW).contains(&claims.iat), Rejected::IssuedAt),
        (attempt.is_nonce(&claims.nonce), Rejected::Nonce),
        ((1..=MAX_SUBJECT).contains(&subject), Rejected::Subject),
    ] {
        if !holds {
            return Err(otherwise);
        }
    }
    Ok((claims.sub, claims.claimed))
}

/// The claims of a token that the provider has signed.
fn signed(token: &str, keys: &Keys) -> Result<Claims, Rejected> {
    let header = decode_header(token).map_err(|_| Rejected::Header)?;
    if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) || header.crit.is_some() {
        return Err(Rejected::Header);
    }
    let key = keys.key(header.alg, header.kid.as_deref()).ok_or(Rejected::Key)?;
    let key = DecodingKey::from_jwk(&key).map_err(|_| Rejected::Key)?;
    let mut validation = Validation::new(header.alg);
    // `verify` checks the claims.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = decode::<Claims>(token, &key, &validation);
    decoded.map(|token| token.claims).map_err(|_| Rejected::Signature)
}
