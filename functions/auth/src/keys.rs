//! The signing key, in Secrets Manager. The private half is in a secret that only `auth-login` reads. The
//! public half, a JWK set, is in a secret that only `auth-authorize` reads. `auth-create-signing-key` writes
//! both.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_sdk_secretsmanager::Client;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::jwk::{Jwk, JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::zeroize::Zeroizing;
use shared::{Error, Result};

/// An Ed25519 key pair, as PKCS #8.
pub struct SigningKey(Zeroizing<Vec<u8>>);

impl SigningKey {
    /// A new key.
    pub fn generate() -> Result<Self> {
        let pair = Ed25519KeyPair::generate()?;
        let der: Pkcs8V1Der<'_> = pair.as_der()?;
        Ok(Self(Zeroizing::new(der.as_ref().to_vec())))
    }

    /// The key's id: its thumbprint (RFC 7638).
    pub fn id(&self) -> Result<String> {
        Ok(self.jwk()?.thumbprint(ThumbprintHash::SHA256)?)
    }

    /// The key for signing.
    #[must_use]
    pub fn encoding_key(&self) -> EncodingKey {
        EncodingKey::from_ed_der(&self.0)
    }

    /// The public key set for verifying, with the key's id.
    pub fn public(&self) -> Result<JwkSet> {
        let mut jwk = self.jwk()?;
        jwk.common.key_id = Some(self.id()?);
        Ok(JwkSet { keys: vec![jwk] })
    }

    fn jwk(&self) -> Result<Jwk> {
        Ok(Jwk::from_encoding_key(&self.encoding_key(), Algorithm::EdDSA)?)
    }

    fn from_secret(text: &str) -> Result<Self> {
        let der = Zeroizing::new(BASE64_STANDARD.decode(text)?);
        Ed25519KeyPair::from_pkcs8(&der)?;
        Ok(Self(der))
    }

    fn to_secret(&self) -> String {
        BASE64_STANDARD.encode(&*self.0)
    }
}

/// The secret of the private half.
#[derive(Clone, Debug)]
pub struct PrivateKeys(Secret);

impl PrivateKeys {
    /// The key in the secret `id` (an ARN or a name).
    #[must_use]
    pub fn new(client: Client, id: String) -> Self {
        Self(Secret { client, id })
    }

    /// The key; `None` if it has not been created.
    pub async fn get(&self) -> Result<Option<SigningKey>> {
        self.0.get().await?.map(|text| SigningKey::from_secret(&text)).transpose()
    }

    /// The key that tokens are signed with.
    ///
    /// # Errors
    /// No key has been created: the deployment is incomplete.
    pub async fn current(&self) -> Result<SigningKey> {
        self.get().await?.ok_or_else(|| Error::internal("no signing key has been created"))
    }

    /// Stores `key`. `request_id` (32 to 64 characters) makes a repeated call idempotent.
    pub async fn put(&self, key: &SigningKey, request_id: &str) -> Result<()> {
        self.0.put(key.to_secret(), Some(request_id.to_owned())).await
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

    /// The keys that tokens are verified with.
    ///
    /// # Errors
    /// No keys are published: the deployment is incomplete.
    pub async fn get(&self) -> Result<JwkSet> {
        let text = self.0.get().await?;
        Ok(serde_json::from_str(&text.ok_or_else(|| Error::internal("no keys are published"))?)?)
    }

    /// Replaces the published keys. Idempotent.
    pub async fn put(&self, keys: &JwkSet) -> Result<()> {
        let text = serde_json::to_string(keys)?;
        if self.0.get().await?.is_some_and(|published| *published == text) {
            return Ok(());
        }
        self.0.put(text, None).await
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

    async fn put(&self, text: String, token: Option<String>) -> Result<()> {
        let put = self.client.put_secret_value().secret_id(&self.id).secret_string(text);
        put.set_client_request_token(token).send().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_round_trips_through_its_secret() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_secret(&key.to_secret()).unwrap();
        assert_eq!(again.id().unwrap(), key.id().unwrap());
    }

    #[test]
    fn the_public_half_has_no_private_key() {
        let key = SigningKey::generate().unwrap();
        let jwk = serde_json::to_value(key.public().unwrap()).unwrap()["keys"][0].clone();
        assert_eq!(jwk["kty"], "OKP");
        assert_eq!(jwk["crv"], "Ed25519");
        assert_eq!(jwk["alg"], "EdDSA");
        assert_eq!(jwk["kid"], key.id().unwrap());
        assert!(jwk.get("d").is_none());
    }

    #[test]
    fn a_secret_that_is_not_a_key_is_an_error() {
        assert!(SigningKey::from_secret("not base 64").is_err());
        assert!(SigningKey::from_secret("AAAA").is_err());
    }
}
