//! The keys that tokens are made with, in Secrets Manager. Access tokens, which only we read, are signed with Ed25519. ID
//! tokens, which every application reads, are signed with RSA: it is the one algorithm that all libraries of OpenID Connect
//! know (Core 1.0, section 15.1). Of the functions that serve requests, only those that make or read our tokens or check second
//! factors read the secret of the private keys, and only those that check tokens or publish the keys read that of the public halves, a JWK
//! set. `auth-create-signing-key` creates both and `auth-rotate-keys` changes both.
//!
//! **Guarantees.** A key that a rotation adds is published at least [`LEAD`] before it signs, and stays published until
//! the last token that it signed has expired. So a rotation refuses no request.

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use aws_sdk_secretsmanager::Client;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
    RSAKeyParameters, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use shared::{Error, Result, fault};

use crate::cookie::BrowserKey;
use crate::passkey::PasskeyKey;
use crate::provider::AttemptKey;
use crate::second_factor::{ChallengeKey, FactorKeys};
use crate::session::RefreshKey;
use crate::token::LIFETIME;

/// How old keys may be that a function has read: the time to live of its [cache](shared::cached). While Secrets
/// Manager does not answer, they are used until they are twice as old.
pub const KEYS_LIFETIME: Duration = Duration::from_mins(1);
/// How long a key is published before it signs.
pub const LEAD: Duration = Duration::from_mins(10);
/// How long a key stays published after its successor signs, at least.
const RETIRED: Duration = Duration::from_hours(1);
// When a key begins to sign, each authorizer has read it. When a key is not published any more, each token that it
// signed has expired, also those of an issuer with old keys.
const _: () = assert!(LEAD.as_secs() >= 2 * KEYS_LIFETIME.as_secs());
const _: () = assert!(RETIRED.as_secs() >= LIFETIME.as_secs() + 2 * KEYS_LIFETIME.as_secs());

/// What a key signs with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Access tokens.
    #[default]
    Ed25519,
    /// ID tokens.
    Rsa,
}

/// A key pair, as PKCS #8.
#[derive(Serialize, Deserialize)]
pub struct SigningKey {
    #[serde(default)]
    kind: Kind,
    #[serde(with = "base64_text")]
    pkcs8: Zeroizing<Vec<u8>>,
    /// The key signs from this time on, until the next key does.
    since: Timestamp,
}

impl SigningKey {
    /// A new key for access tokens that signs from `since` on.
    pub fn generate(since: Timestamp) -> Result<Self> {
        Self::of_kind(Kind::Ed25519, since)
    }

    fn of_kind(kind: Kind, since: Timestamp) -> Result<Self> {
        let der: Pkcs8V1Der<'_> = match kind {
            Kind::Ed25519 => Ed25519KeyPair::generate()?.as_der()?,
            Kind::Rsa => RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?,
        };
        Ok(Self { kind, pkcs8: Zeroizing::new(der.as_ref().to_vec()), since })
    }

    /// When the key begins to sign.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The key's id: its thumbprint (RFC 7638).
    pub fn id(&self) -> Result<String> {
        Ok(self.jwk()?.thumbprint(ThumbprintHash::SHA256)?)
    }

    /// The key for signing access tokens.
    #[must_use]
    pub fn encoding_key(&self) -> EncodingKey {
        EncodingKey::from_ed_der(&self.pkcs8)
    }

    /// The key for signing ID tokens.
    fn rsa(&self) -> Result<RsaKeyPair> {
        Ok(RsaKeyPair::from_pkcs8(&self.pkcs8)?)
    }

    fn check(&self) -> Result<()> {
        match self.kind {
            Kind::Ed25519 => Ed25519KeyPair::from_pkcs8(&self.pkcs8).map(drop)?,
            Kind::Rsa => self.rsa().map(drop)?,
        }
        Ok(())
    }

    fn jwk(&self) -> Result<Jwk> {
        if self.kind == Kind::Ed25519 {
            return Ok(Jwk::from_encoding_key(&self.encoding_key(), Algorithm::EdDSA)?);
        }
        // `Jwk::from_encoding_key` takes no RSA key in PKCS #8.
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa()?.public_key());
        let [n, e] = [public.n, public.e].map(|number| BASE64_URL_SAFE_NO_PAD.encode(number));
        let parameters = RSAKeyParameters { n, e, ..RSAKeyParameters::default() };
        let key_algorithm = Some(KeyAlgorithm::RS256);
        let common = CommonParameters { key_algorithm, ..CommonParameters::default() };
        Ok(Jwk { common, algorithm: AlgorithmParameters::RSA(parameters) })
    }

    fn public(&self) -> Result<Jwk> {
        let mut jwk = self.jwk()?;
        jwk.common.key_id = Some(self.id()?);
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(jwk)
    }

    /// The key for signing ID tokens, with its id.
    pub fn identity(&self) -> Result<IdentityKey> {
        Ok(IdentityKey { since: self.since, id: self.id()?, pair: self.rsa()? })
    }
}

/// A key that signs ID tokens from a time on.
#[derive(Debug)]
pub struct IdentityKey {
    /// When it begins to sign.
    pub since: Timestamp,
    id: String,
    pair: RsaKeyPair,
}

impl IdentityKey {
    /// A token with these claims, signed with `RS256` (RFC 7515). `jsonwebtoken` takes no RSA key in PKCS #8.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String> {
        let header = serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": self.id});
        let [header, claims] = [serde_json::to_vec(&header)?, serde_json::to_vec(claims)?]
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// All private keys.
#[derive(Serialize, Deserialize)]
pub struct KeyRing {
    /// The keys of access tokens, in the order in which they sign. There is at least one.
    signing: Vec<SigningKey>,
    /// The keys of ID tokens, in the order in which they sign. A ring from before there were any has none until the next
    /// rotation.
    #[serde(default)]
    identity: Vec<SigningKey>,
    /// The key of refresh tokens.
    #[serde(with = "base64_text")]
    refresh: Zeroizing<Vec<u8>>,
    /// The key of what is stored of second factors. It is never replaced: without it, no second factor can be checked.
    /// Empty in a ring from before there were second factors, until the next rotation.
    #[serde(default, with = "base64_text")]
    factors: Zeroizing<Vec<u8>>,
}

impl KeyRing {
    /// New keys, which sign from `now` on.
    pub fn generate(now: Timestamp) -> Result<Self> {
        let (refresh, factors) = (random_key()?, random_key()?);
        let [signing, identity] =
            [Kind::Ed25519, Kind::Rsa].map(|kind| SigningKey::of_kind(kind, now));
        Ok(Self { signing: vec![signing?], identity: vec![identity?], refresh, factors })
    }

    /// The keys of access tokens, in the order in which they sign.
    #[must_use]
    pub fn signing(&self) -> &[SigningKey] {
        &self.signing
    }

    /// The keys of ID tokens, in the order in which they sign.
    #[must_use]
    pub fn identity(&self) -> &[SigningKey] {
        &self.identity
    }

    /// The key of refresh tokens.
    #[must_use]
    pub fn refresh(&self) -> RefreshKey {
        RefreshKey::new(&self.refresh)
    }

    /// The key of cookies.
    pub fn browsers(&self) -> Result<BrowserKey> {
        BrowserKey::new(&self.refresh)
    }

    /// The key of challenges.
    pub fn challenges(&self) -> Result<ChallengeKey> {
        ChallengeKey::new(&self.refresh)
    }

    /// The key of attempts to sign in at providers.
    pub fn attempts(&self) -> Result<AttemptKey> {
        AttemptKey::new(&self.refresh)
    }

    /// The key of challenges of passkeys.
    pub fn passkeys(&self) -> Result<PasskeyKey> {
        PasskeyKey::new(&self.refresh)
    }

    /// The keys of second factors; `None` if the ring has none yet.
    pub fn factors(&self) -> Result<Option<FactorKeys>> {
        let has_key = !self.factors.is_empty();
        has_key.then(|| FactorKeys::new(&self.factors)).transpose()
    }

    /// The public key set, with each key's id.
    pub fn public(&self) -> Result<JwkSet> {
        let keys = self.signing.iter().chain(&self.identity);
        let keys = keys.map(SigningKey::public).collect::<Result<_>>()?;
        Ok(JwkSet { keys })
    }

    /// The ring with new keys, which sign from `now` and [`LEAD`] on. Keys whose tokens have all expired are
    /// left out. The key of refresh tokens stays, because a session is longer than the time between rotations.
    pub fn rotated(self, now: Timestamp) -> Result<Self> {
        let Self { signing, identity, refresh, factors } = self;
        Ok(Self {
            signing: with_next(signing, Kind::Ed25519, now)?,
            identity: with_next(identity, Kind::Rsa, now)?,
            refresh,
            factors: kept_or_new(factors)?,
        })
    }

    /// The ring after an emergency: new keys, which sign from `now` on. The key of second factors stays, because all
    /// users would lose theirs with it. Who knows it learns nothing without a copy of the table, and cannot sign in
    /// without a password.
    pub fn replaced(self, now: Timestamp) -> Result<Self> {
        Ok(Self { factors: kept_or_new(self.factors)?, ..Self::generate(now)? })
    }

    fn from_secret(text: &str) -> Result<Self> {
        let ring: Self = serde_json::from_str(text)?;
        for key in ring.signing.iter().chain(&ring.identity) {
            key.check()?;
        }
        let has_factors = matches!(ring.factors.len(), 0 | 32);
        if ring.signing.is_empty() || ring.refresh.len() != 32 || !has_factors {
            return Err(Error::internal("the ring lacks a key"));
        }
        Ok(ring)
    }

    fn to_secret(&self) -> Result<Zeroizing<String>> {
        Ok(Zeroizing::new(serde_json::to_string(self)?))
    }
}

/// The keys without those whose tokens have all expired, and with the next one.
fn with_next(mut keys: Vec<SigningKey>, kind: Kind, now: Timestamp) -> Result<Vec<SigningKey>> {
    let retired = |next: &SigningKey| next.since + RETIRED <= now;
    let needless = keys.iter().skip(1).take_while(|next| retired(next)).count();
    keys.drain(..needless);
    keys.push(SigningKey::of_kind(kind, now + LEAD)?);
    Ok(keys)
}

fn random_key() -> Result<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![0; 32]);
    aws_lc_rs::rand::fill(&mut key)?;
    Ok(key)
}

/// The key of second factors, or a new one for a ring that has none yet.
fn kept_or_new(factors: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>> {
    if factors.is_empty() { random_key() } else { Ok(factors) }
}

mod base64_text {
    use serde::{Deserializer, Serializer, de};

    use super::{BASE64_STANDARD, Deserialize as _, Engine as _, Zeroizing};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64_STANDARD.encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Zeroizing<Vec<u8>>, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        BASE64_STANDARD.decode(&*text).map(Zeroizing::new).map_err(de::Error::custom)
    }
}

/// The secret of the private keys.
#[derive(Clone, Debug)]
pub struct PrivateKeys(Secret);

impl PrivateKeys {
    /// The keys in the secret `id` (an ARN or a name).
    #[must_use]
    pub fn new(client: Client, id: String) -> Self {
        Self(Secret { client, id })
    }

    /// The keys; `None` if they have not been created.
    pub async fn get(&self) -> Result<Option<KeyRing>> {
        self.0.get().await?.map(|text| KeyRing::from_secret(&text)).transpose()
    }

    /// The keys.
    ///
    /// # Errors
    /// No keys have been created: the deployment is incomplete.
    pub async fn current(&self) -> Result<KeyRing> {
        self.get().await?.ok_or_else(|| Error::internal("no signing key has been created"))
    }

    /// Replaces the keys. `request_id` (32 to 64 characters) makes a repeated call idempotent.
    pub async fn put(&self, keys: &KeyRing, request_id: Option<&str>) -> Result<()> {
        let request_id = request_id.map(str::to_owned);
        self.0.put("keys.private", keys.to_secret()?.to_string(), request_id).await
    }
}

/// The secret of the public half. The public half is not secret; it is in Secrets Manager because the private
/// half needs that client anyway.
#[derive(Clone, Debug)]
pub struct PublicKeys(Secret);

impl PublicKeys {
    /// The key set in the secret `id` (an ARN or a name).
    #[must_use]
    pub fn new(client: Client, id: String) -> Self {
        Self(Secret { client, id })
    }

    /// The keys that tokens are verified with; `None` if none are published.
    pub async fn get(&self) -> Result<Option<JwkSet>> {
        Ok(self.0.get().await?.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// The keys that tokens are verified with.
    ///
    /// # Errors
    /// No keys are published: the deployment is incomplete.
    pub async fn current(&self) -> Result<JwkSet> {
        self.get().await?.ok_or_else(|| Error::internal("no keys are published"))
    }

    /// Replaces the published keys. Idempotent.
    pub async fn put(&self, keys: &JwkSet) -> Result<()> {
        let text = serde_json::to_string(keys)?;
        if self.0.get().await?.is_some_and(|published| *published == text) {
            return Ok(());
        }
        self.0.put("keys.public", text, None).await
    }
}

/// A secret in Secrets Manager.
#[derive(Clone, Debug)]
struct Secret {
    client: Client,
    id: String,
}

impl Secret {
    /// The secret's text; `None` if it has no value.
    async fn get(&self) -> Result<Option<Zeroizing<String>>> {
        match self.client.get_secret_value().secret_id(&self.id).send().await {
            Ok(value) => {
                let text = value.secret_string.filter(|text| !text.is_empty());
                Ok(text.map(Zeroizing::new))
            }
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_resource_not_found_exception() => Ok(None),
                _ => Err(error.into()),
            },
        }
    }

    /// Stores the text, at the fault point `name`.
    async fn put(&self, name: &'static str, text: String, token: Option<String>) -> Result<()> {
        let put = self.client.put_secret_value().secret_id(&self.id).secret_string(text);
        let put = put.set_client_request_token(token);
        fault::point(name, || put.clone().send()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
