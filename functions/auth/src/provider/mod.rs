//! Outside providers, at which users sign in: Google, GitHub, and any other with OpenID Connect.
//!
//! **Guarantees.**
//!
//! - An [`Attempt`] to sign in is bound to the browser that began it, to one provider, for [`attempt::LIFETIME`]. The table lets
//!   it be used once.
//! - Each provider has an address of its own to which browsers come back, and an answer that names its sender
//!   ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)) must name this provider. So no provider can pass as another one
//!   ([RFC 9700, 4.4](https://www.rfc-editor.org/rfc/rfc9700#section-4.4)).
//! - A code is exchanged with the secret of PKCE, always `S256`. An ID token repeats the nonce of the attempt.
//! - An ID token counts only if a key that the provider publishes has signed it, for us and in time (`id_token`).
//! - Requests are made with HTTPS only, and to public addresses only, unless the provider is on this machine. An answer has at most
//!   256 KiB and takes at most 4 s.
//! - No secret, code or token of a provider is logged.

pub mod attempt;
pub mod config;
mod github;
mod http;
mod id_token;
mod openid;

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::clock::Clock;
use shared::outbound::Outbound;
use shared::{Error, Result};

pub use attempt::{Attempt, AttemptKey};
pub use config::{Kind, Provider, ProviderId, Providers};

use self::github::GitHub;
use self::openid::OpenId;
use crate::email::Email;
use crate::form::Form;

/// Why a provider has signed nobody in.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It does not answer, or says that it cannot now.
    #[error("{0}")]
    Down(String),
    /// It answers what it must not, or our configuration is not right.
    #[error("{0}")]
    Wrong(String),
    /// The user has not allowed it to tell us who it is.
    #[error("the user has declined")]
    Declined,
    /// It does not take the code: it was used, has expired, or is not for us.
    #[error("the code is refused")]
    Code,
}

impl Failure {
    fn wrong(reason: impl Into<String>) -> Self {
        Self::Wrong(reason.into())
    }

    /// The failure in an error that a [cache](shared::cached) gives.
    fn of(error: Error) -> Self {
        match error {
            Error::Internal(error) => match error.downcast::<Self>() {
                Ok(failure) => *failure,
                Err(error) => Self::Wrong(shared::error::trail(error.as_ref())),
            },
            other => Self::Wrong(other.trail()),
        }
    }
}

/// Somebody whom a provider has signed in.
pub struct SignedIn {
    /// Who it is, among all users of the provider.
    pub subject: String,
    /// What the ID token says of the address, if it says anything.
    claimed: Option<Claimed>,
    /// With which the provider tells more.
    access_token: SecretString,
}

/// What a provider says of an address.
#[derive(Clone, Debug, Default, Deserialize)]
struct Claimed {
    #[serde(default)]
    email: Option<String>,
    /// A provider that sends a text instead does not follow OpenID Connect (Core 1.0, section 5.1): nobody knows what it means.
    #[serde(default)]
    email_verified: serde_json::Value,
}

impl Claimed {
    /// The address, if the provider has proved that it is the user's, and a mail can be sent to it.
    fn proved(self) -> Option<Email> {
        let is_proved = self.email_verified == serde_json::Value::Bool(true);
        let text = self.email.filter(|_| is_proved)?;
        // The provider has proved the name as it has written it, and not the one that normalisation makes of it.
        let is_ascii = text.rsplit_once('@').is_some_and(|(name, _)| name.is_ascii());
        Email::try_from(text).ok().filter(|_| is_ascii)
    }
}

/// Signs users in at one provider.
#[derive(Debug)]
pub struct Client {
    /// The provider.
    pub provider: Provider,
    protocol: Protocol,
}

#[derive(Debug)]
enum Protocol {
    OpenId(OpenId),
    GitHub(GitHub),
}

impl Client {
    fn new(provider: Provider, secret: SecretString, clock: Clock) -> Result<Self> {
        let http = Outbound::guarded(http::LIMITS, provider.is_on_this_machine())?;
        let protocol = match provider.kind {
            Kind::OpenId => Protocol::OpenId(OpenId::new(&provider, secret, http, clock)),
            Kind::GitHub => Protocol::GitHub(GitHub::new(&provider, secret, http)),
        };
        Ok(Self { provider, protocol })
    }

    /// Where the browser goes to sign in, and then comes back to `redirect_uri`.
    pub async fn authorization_url(
        &self,
        attempt: &Attempt,
        redirect_uri: &str,
        asks_again: bool,
    ) -> Result<String, Failure> {
        match &self.protocol {
            Protocol::OpenId(openid) => {
                openid.authorization_url(attempt, redirect_uri, asks_again).await
            }
            Protocol::GitHub(github) => github.authorization_url(attempt, redirect_uri),
        }
    }

    /// Checks that the answer of a browser is this provider's, by its parameter `iss`. Google sends it without saying so in its
    /// configuration, so it is always checked, and required of those who say so.
    async fn check_sender(&self, iss: &str) -> Result<(), Failure> {
        let is_required = match &self.protocol {
            Protocol::OpenId(openid) => openid.names_itself().await?,
            Protocol::GitHub(_) => false,
        };
        match iss {
            "" if is_required => Err(Failure::wrong("the answer does not name its sender")),
            "" => Ok(()),
            iss if iss == self.provider.issuer => Ok(()),
            _ => Err(Failure::wrong("the answer names another sender")),
        }
    }

    /// The code in the answer of a browser.
    pub async fn code<'a>(&self, answer: &'a Form) -> Result<&'a str, Failure> {
        self.check_sender(answer.text("iss")).await?;
        match (answer.text("error"), answer.text("code")) {
            ("", "") => Err(Failure::wrong("the answer has no code")),
            ("", code) => Ok(code),
            ("access_denied", _) => Err(Failure::Declined),
            (error @ ("temporarily_unavailable" | "server_error"), _) => {
                Err(Failure::Down(error.to_owned()))
            }
            (error, _) => Err(Failure::wrong(http::printable(error))),
        }
    }

    /// Exchanges the code.
    pub async fn exchange(
        &self,
        attempt: &Attempt,
        code: &str,
        redirect_uri: &str,
    ) -> Result<SignedIn, Failure> {
        match &self.protocol {
            Protocol::OpenId(openid) => openid.exchange(attempt, code, redirect_uri).await,
            Protocol::GitHub(github) => github.exchange(attempt, code, redirect_uri).await,
        }
    }

    /// The address of somebody, if the provider has proved it.
    pub async fn address(&self, signed_in: SignedIn) -> Result<Option<Email>, Failure> {
        match &self.protocol {
            Protocol::OpenId(openid) => openid.address(signed_in).await,
            Protocol::GitHub(github) => github.address(&signed_in).await,
        }
    }
}

/// What signs users in at all providers.
#[derive(Clone, Debug)]
pub struct Clients(Arc<[Client]>);

impl Clients {
    /// Those of the providers, with their secrets by id: a JSON object.
    ///
    /// # Errors
    /// When a provider has no secret. The error names it.
    pub fn new(providers: &Providers, secrets: &SecretString, clock: &Clock) -> Result<Self> {
        let unreadable =
            |_| Error::internal("the secrets of the providers are no JSON object of texts");
        let mut secrets: BTreeMap<String, SecretString> =
            serde_json::from_str(secrets.expose_secret()).map_err(unreadable)?;
        let clients = providers.all().iter().map(|provider| {
            let secret = secrets.remove(provider.id.as_str());
            let secret = secret.filter(|secret| !secret.expose_secret().is_empty());
            let missing = || Error::internal(format!("there is no secret of {}", provider.id));
            Client::new(provider.clone(), secret.ok_or_else(missing)?, clock.clone())
        });
        Ok(Self(clients.collect::<Result<_>>()?))
    }

    /// The client of a provider.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<&Client> {
        self.0.iter().find(|client| client.provider.id.as_str() == id)
    }
}
