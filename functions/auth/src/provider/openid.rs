//! A provider with OpenID Connect ([Core 1.0](https://openid.net/specs/openid-connect-core-1_0.html),
//! [Discovery 1.0](https://openid.net/specs/openid-connect-discovery-1_0.html)).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::cached::Cached;
use shared::clock::Clock;
use shared::outbound::{Outbound, Request};
use url::Url;

use super::attempt::Attempt;
use super::http::{json, tokens};
use super::id_token::{Keys, Rejected, verify};
use super::{Claimed, Failure, Provider, SignedIn};
use crate::email::Email;

/// How old the configuration and the keys of a provider may be that we have read. While it does not answer, they are used until
/// they are twice as old.
const MAX_AGE: Duration = Duration::from_hours(1);
/// How old the keys must be before a token with an unknown key makes us read them again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A provider.
pub(super) struct OpenId {
    provider: Provider,
    secret: SecretString,
    http: Outbound,
    clock: Clock,
    metadata: Cached<Metadata>,
    keys: Cached<Keys>,
}

/// The configuration of a provider (Discovery 1.0, section 3).
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: SecretString,
    id_token: String,
}

/// What the endpoint of the user's data tells.
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    claimed: Claimed,
}

impl fmt::Debug for OpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenId").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl OpenId {
    pub(super) fn new(
        provider: &Provider,
        secret: SecretString,
        http: Outbound,
        clock: Clock,
    ) -> Self {
        let (metadata, keys) =
            (Cached::new(MAX_AGE, clock.clone()), Cached::new(MAX_AGE, clock.clone()));
        Self { provider: provider.clone(), secret, http, clock, metadata, keys }
    }

    /// Whether the answers of the provider name it.
    pub(super) async fn names_itself(&self) -> Result<bool, Failure> {
        Ok(self.metadata().await?.authorization_response_iss_parameter_supported)
    }

    /// Where the browser goes. If it `asks_again`, a user who is signed in there must sign in once more.
    pub(super) async fn authorization_url(
        &self,
        attempt: &Attempt,
        redirect_uri: &str,
        asks_again: bool,
    ) -> Result<String, Failure> {
        let metadata = self.metadata().await?;
        let mut url = self.endpoint(&metadata.authorization_endpoint)?;
        let (_, challenge) = attempt.pkce();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("scope", "openid email"),
            ("client_id", &self.provider.client_id),
            ("redirect_uri", redirect_uri),
            ("state", attempt.state().expose()),
            ("nonce", attempt.nonce()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        if asks_again {
            url.query_pairs_mut().append_pair("prompt", "login");
        }
        Ok(url.into())
    }

    pub(super) async fn exchange(
        &self,
        attempt: &Attempt,
        code: &str,
        redirect_uri: &str,
    ) -> Result<SignedIn, Failure> {
        let metadata = self.metadata().await?;
        let url = self.endpoint(&metadata.token_endpoint)?;
        let (verifier, _) = attempt.pkce();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let request = || {
            let request = self.http.request(Method::POST, url.as_str());
            self.authenticated(request, &metadata, &form)
        };
        let tokens: Tokens = tokens("provider.tokens", request).await?;
        let (subject, claimed) = self.verified(&tokens.id_token, attempt, &metadata).await?;
        let claimed = claimed.email.is_some().then_some(claimed);
        Ok(SignedIn { subject, claimed, access_token: tokens.access_token })
    }

    /// The address in the ID token. A provider may tell it only at the endpoint of the user's data (Core 1.0, section 5.4).
    pub(super) async fn address(&self, signed_in: SignedIn) -> Result<Option<Email>, Failure> {
        let SignedIn { subject, claimed, access_token } = signed_in;
        if let Some(claimed) = claimed {
            return Ok(claimed.proved());
        }
        let metadata = self.metadata().await?;
        let Some(url) = &metadata.userinfo_endpoint else { return Ok(None) };
        let url = self.endpoint(url)?;
        let request = || self.http.request(Method::GET, url.as_str()).bearer(&access_token);
        let info: UserInfo = json(("provider.userinfo", "the user's data"), request).await?;
        // Core 1.0, section 5.3.2: the token might be of another user.
        if info.sub != subject {
            return Err(Failure::wrong("the user's data is of another user"));
        }
        Ok(info.claimed.proved())
    }

    /// The request with our id and secret, as the provider wants them (RFC 6749, section 2.3.1).
    fn authenticated(
        &self,
        request: Request,
        metadata: &Metadata,
        form: &[(&str, &str)],
    ) -> Request {
        let methods = metadata.token_endpoint_auth_methods_supported.as_ref();
        let has = |name: &str| methods.is_some_and(|methods| methods.iter().any(|it| it == name));
        let (id, secret) = (self.provider.client_id.as_str(), self.secret.expose_secret());
        if has("client_secret_post") && !has("client_secret_basic") {
            let ours = [("client_id", id), ("client_secret", secret)];
            return request.form(&[form, &ours].concat());
        }
        let encoded =
            |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
        let both = BASE64_STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        request.header(AUTHORIZATION, format!("Basic {both}")).form(form)
    }

    /// The subject of an ID token, and what it says of the address.
    async fn verified(
        &self,
        token: &str,
        attempt: &Attempt,
        metadata: &Metadata,
    ) -> Result<(String, Claimed), Failure> {
        let (expected, now) = ((&self.provider, attempt), self.clock.now());
        let mut verified = verify(token, &*self.keys(metadata, MAX_AGE).await?, expected, now);
        if matches!(verified, Err(Rejected::Key)) {
            verified = verify(token, &*self.keys(metadata, LOOK_AGAIN).await?, expected, now);
        }
        verified.map_err(|rejected| Failure::wrong(format!("the ID token: {rejected}")))
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, Failure> {
        let issuer = &self.provider.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let fetch = async || {
            let request = || self.http.request(Method::GET, &url);
            let read: Metadata = json(("provider.metadata", "the configuration"), request).await?;
            if read.issuer != *issuer {
                return Err(Failure::wrong("the configuration is of another issuer").into());
            }
            Ok(read)
        };
        self.metadata.get(fetch).await.map_err(Failure::of)
    }

    /// The keys that are at most this old.
    async fn keys(&self, metadata: &Metadata, age: Duration) -> Result<Arc<Keys>, Failure> {
        let url = self.endpoint(&metadata.jwks_uri)?;
        let fetch = async || {
            let request = || self.http.request(Method::GET, url.as_str());
            Ok(json(("provider.keys", "the keys"), request).await?)
        };
        self.keys.younger_than(age, fetch).await.map_err(Failure::of)
    }

    fn endpoint(&self, text: &str) -> Result<Url, Failure> {
        let unsafe_url = || Failure::wrong("the configuration has an endpoint that is not HTTPS");
        self.provider.endpoint(text).ok_or_else(unsafe_url)
    }
}
