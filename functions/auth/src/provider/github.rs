//! [GitHub](https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps), or a GitHub Enterprise Server. It
//! has no ID tokens: with the access token, it tells who the user is.

use std::fmt;

use reqwest::Method;
use reqwest::header::{ACCEPT, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::outbound::{Outbound, Request};
use url::Url;

use super::attempt::Attempt;
use super::http::{json, tokens};
use super::{Claimed, Failure, Provider, SignedIn};
use crate::email::Email;

/// GitHub refuses requests without one.
const PROGRAM: &str = "arsenal-auth";

/// The provider.
pub(super) struct GitHub {
    provider: Provider,
    secret: SecretString,
    http: Outbound,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: SecretString,
}

#[derive(Deserialize)]
struct User {
    /// Unlike the name, nobody gets it again.
    id: u64,
}

/// One of the addresses of a user.
#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHub").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl GitHub {
    pub(super) fn new(provider: &Provider, secret: SecretString, http: Outbound) -> Self {
        Self { provider: provider.clone(), secret, http }
    }

    pub(super) fn authorization_url(
        &self,
        attempt: &Attempt,
        redirect_uri: &str,
    ) -> Result<String, Failure> {
        let mut url = self.of_issuer("authorize")?;
        let (_, challenge) = attempt.pkce();
        url.query_pairs_mut().extend_pairs([
            ("scope", "user:email"),
            ("client_id", &self.provider.client_id),
            ("redirect_uri", redirect_uri),
            ("state", attempt.state().expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url.into())
    }

    pub(super) async fn exchange(
        &self,
        attempt: &Attempt,
        code: &str,
        redirect_uri: &str,
    ) -> Result<SignedIn, Failure> {
        let url = self.of_issuer("access_token")?;
        let (verifier, _) = attempt.pkce();
        let form = [
            ("client_id", self.provider.client_id.as_str()),
            ("client_secret", self.secret.expose_secret()),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let request = || asking(self.http.request(Method::POST, url.as_str()).form(&form));
        let Tokens { access_token } = tokens("provider.tokens", request).await?;
        let user: User = self.get("user", &access_token).await?;
        Ok(SignedIn { subject: user.id.to_string(), claimed: None, access_token })
    }

    /// The primary address, if GitHub has proved it.
    pub(super) async fn address(&self, signed_in: &SignedIn) -> Result<Option<Email>, Failure> {
        let addresses: Vec<Address> = self.get("user/emails", &signed_in.access_token).await?;
        let primary = addresses.into_iter().find(|address| address.primary);
        Ok(primary.and_then(|Address { email, verified, .. }| {
            Claimed { email: Some(email), email_verified: verified.into() }.proved()
        }))
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        token: &SecretString,
    ) -> Result<T, Failure> {
        let url = self.of_api(path)?;
        let request = || asking(self.http.request(Method::GET, url.as_str()).bearer(token));
        json(("provider.user", "the user's data"), request).await
    }

    fn of_issuer(&self, name: &str) -> Result<Url, Failure> {
        self.endpoint(&format!("{}/{name}", self.provider.issuer))
    }

    /// The API of github.com has a host of its own; that of a server of yours is below `/api/v3`.
    fn of_api(&self, path: &str) -> Result<Url, Failure> {
        let mut url = self.of_issuer("")?;
        let is_github = url.host_str() == Some("github.com");
        if is_github {
            return self.endpoint(&format!("https://api.github.com/{path}"));
        }
        url.set_path(&format!("/api/v3/{path}"));
        Ok(url)
    }

    fn endpoint(&self, text: &str) -> Result<Url, Failure> {
        self.provider.endpoint(text).ok_or_else(|| Failure::wrong("the issuer is no URL"))
    }
}

fn asking(request: Request) -> Request {
    request.header(ACCEPT, "application/json").header(USER_AGENT, PROGRAM)
}
