//! The signing key: the private half in Secrets Manager, which only `auth-login` may read; the
//! public half as a JWK set in a parameter of Systems Manager, which only `auth-authorize` may.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::Ed25519KeyPair;
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

    /// What signs.
    #[must_use]
    pub fn encoding_key(&self) -> EncodingKey {
        EncodingKey::from_ed_der(&self.0)
    }

    /// What verifies, for all to know.
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

/// The private half's place in Secrets Manager.
#[derive(Clone, Debug)]
pub struct PrivateKeys {
    client: aws_sdk_secretsmanager::Client,
    secret_id: String,
}

impl PrivateKeys {
    /// The key in the secret `secret_id` (its ARN or name).
    #[must_use]
    pub fn new(client: aws_sdk_secretsmanager::Client, secret_id: String) -> Self {
        Self { client, secret_id }
    }

    /// The key, if one has been made.
    pub async fn get(&self) -> Result<Option<SigningKey>> {
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let value = match answer {
            Ok(value) => value,
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_resource_not_found_exception() => return Ok(None),
                _ => return Err(error.into()),
            },
        };
        match value.secret_string() {
            None | Some("") => Ok(None),
            Some(text) => SigningKey::from_secret(text).map(Some),
        }
    }

    /// The key that tokens are signed with.
    ///
    /// # Errors
    /// When none has been made: the deployment is incomplete.
    pub async fn current(&self) -> Result<SigningKey> {
        self.get().await?.ok_or_else(|| Error::internal("no signing key has been made"))
    }

    /// Stores `key`. `request_id` (32 to 64 characters) makes a repeated call the same call.
    pub async fn put(&self, key: &SigningKey, request_id: &str) -> Result<()> {
        self.client
            .put_secret_value()
            .secret_id(&self.secret_id)
            .secret_string(key.to_secret())
            .client_request_token(request_id)
            .send()
            .await?;
        Ok(())
    }
}

/// The public half's place in Systems Manager.
#[derive(Clone, Debug)]
pub struct PublicKeys {
    client: aws_sdk_ssm::Client,
    parameter: String,
}

impl PublicKeys {
    /// The key set in `parameter`.
    #[must_use]
    pub fn new(client: aws_sdk_ssm::Client, parameter: String) -> Self {
        Self { client, parameter }
    }

    /// The keys that tokens are verified with.
    pub async fn get(&self) -> Result<JwkSet> {
        let answer = self.client.get_parameter().name(&self.parameter).send().await?;
        let value = answer.parameter().and_then(|parameter| parameter.value()).unwrap_or_default();
        Ok(serde_json::from_str(value)?)
    }

    /// Publishes `keys` in place of what was there.
    pub async fn put(&self, keys: &JwkSet) -> Result<()> {
        self.client
            .put_parameter()
            .name(&self.parameter)
            .value(serde_json::to_string(keys)?)
            .r#type(aws_sdk_ssm::types::ParameterType::String)
            .overwrite(true)
            .send()
            .await?;
        Ok(())
    }

    /// Takes the keys back; that there are none is fine.
    pub async fn delete(&self) -> Result<()> {
        match self.client.delete_parameter().name(&self.parameter).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_parameter_not_found() => Ok(()),
                _ => Err(error.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_secret() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_secret(&key.to_secret()).unwrap();
        assert_eq!(again.id().unwrap(), key.id().unwrap());
    }

    #[test]
    fn the_public_half_holds_no_private_one() {
        let key = SigningKey::generate().unwrap();
        let jwk = serde_json::to_value(key.public().unwrap()).unwrap()["keys"][0].clone();
        assert_eq!(jwk["kty"], "OKP");
        assert_eq!(jwk["crv"], "Ed25519");
        assert_eq!(jwk["alg"], "EdDSA");
        assert_eq!(jwk["kid"], key.id().unwrap());
        assert!(jwk.get("d").is_none());
    }

    #[test]
    fn a_secret_that_is_no_key_is_an_error() {
        assert!(SigningKey::from_secret("not base 64").is_err());
        assert!(SigningKey::from_secret("AAAA").is_err());
    }
}
