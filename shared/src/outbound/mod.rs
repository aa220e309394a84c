//! HTTP requests to servers outside AWS: one client, with limits on the time and the response size.
//!
//! **Guarantees.**
//!
//! - A [guarded](Outbound::guarded) client is for hosts that users name. It uses HTTPS only, and
//!   connects only to public addresses. The connector resolves the name and checks the addresses for
//!   each connection, so a change of the address between a check and a request has no effect. The client
//!   uses no proxy, because a proxy would resolve the name itself.
//! - An [unguarded](Outbound::unguarded) client is for a host that the operator configures. It connects
//!   to any address.
//! - Neither client follows redirects. A connection is made within [`Limits::connect`], and a request ends
//!   within [`Limits::total`], including the host lookup and the response.
//! - [`Request::send`] returns the whole response, or an error if it has more than [`Limits::answer`]
//!   bytes. [`Request::send_for_status`] returns the status and the headers. It closes the connection of
//!   a longer response and reuses the connection of a shorter one.
//! - No error contains the URL, because a URL may contain a secret. [`Failure::class`] is a short word for
//!   the cause, which users may see.
//!
//! ```no_run
//! # async fn example() -> shared::Result<()> {
//! use reqwest::Method;
//! use shared::outbound::{Limits, Outbound};
//! use std::time::Duration;
//!
//! let limits = Limits {
//!     connect: Duration::from_secs(3),
//!     total: Duration::from_secs(10),
//!     answer: 64 * 1024,
//! };
//! let payments = Outbound::unguarded(limits)?;
//! let answer = payments.request(Method::GET, "https://api.example.com/v1/charges").send().await?;
//! println!("{}: {} bytes", answer.status, answer.body.len());
//!
//! let posting = Outbound::guarded(limits, false)?;
//! posting.check("https://hooks.example.com/orders").await?; // when the user enters the URL
//! let hook = posting.request(Method::POST, "https://hooks.example.com/orders").body("{}");
//! println!("{}", hook.send_for_status().await?.status);
//! # Ok(()) }
//! ```

mod public;
mod resolver;
#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use self::public::is_public;
pub(crate) use self::resolver::Resolver;
use crate::Result;
use crate::fault::Lost;

/// The limits of a request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time to connect, including the host lookup.
    pub connect: Duration,
    /// The time until the response is read.
    pub total: Duration,
    /// Maximum size of the response, in bytes.
    pub answer: usize,
}

/// A client that reuses its connections. Its clones share them.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    /// Resolves and checks addresses; absent if the client is not guarded.
    resolver: Option<Arc<Resolver>>,
    limits: Limits,
}

/// Why a user's URL is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    /// The text is not a URL with HTTPS and without credentials.
    #[error("the URL must be one that begins with https:// and has no user and no password")]
    NotHttps,
    /// The host has an address that is not public.
    #[error("the host's addresses must be public")]
    Private,
    /// The host has no address.
    #[error("the host's name does not resolve")]
    Unknown,
}

/// Why a request has no response. It never contains the URL.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The guarded client refuses this URL.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// The request timed out. The server may have executed it.
    #[error("the request took too long")]
    Timeout(#[source] reqwest::Error),
    /// There is no connection. The server did not get the request.
    #[error("no connection")]
    NoConnection(#[source] reqwest::Error),
    /// The response is larger than the limit.
    #[error("the answer has more than {0} bytes")]
    AnswerTooLong(usize),
    /// The request could not be written, or the connection broke.
    #[error("the request failed")]
    Broken(#[source] reqwest::Error),
    /// A test injected this failure.
    #[error("the answer was lost")]
    Lost,
}

impl Failure {
    /// A short word for the cause. It contains no part of the request.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unsafe(Unsafe::NotHttps) => "invalid_url",
            Self::Unsafe(Unsafe::Private) => "private_address",
            Self::Unsafe(Unsafe::Unknown) => "unknown_host",
            Self::Timeout(_) | Self::Lost => "timeout",
            Self::NoConnection(_) => "no_connection",
            Self::AnswerTooLong(_) => "answer_too_long",
            Self::Broken(_) => "connection_broken",
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(found) = of_resolver(&error) {
            Self::Unsafe(found)
        } else if error.is_timeout() {
            Self::Timeout(error)
        } else if error.is_connect() {
            Self::NoConnection(error)
        } else {
            Self::Broken(error)
        }
    }
}

impl Lost for Failure {
    fn lost() -> Self {
        Self::Lost
    }
}

/// The error of the resolver, if that is the cause.
fn of_resolver(error: &(dyn StdError + 'static)) -> Option<Unsafe> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<Unsafe>() {
            return Some(*found);
        }
        cause = error.source();
    }
    None
}

/// A whole response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// A response without its body.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
}

impl Outbound {
    /// A client for hosts that users name. If it `trusts_private`, which is for a laptop only, it also
    /// allows HTTP and private addresses.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn guarded(limits: Limits, trusts_private: bool) -> Result<Self> {
        Self::resolving_by(Resolver::system(trusts_private), limits)
    }

    /// A guarded client with this resolver.
    pub(crate) fn resolving_by(resolver: Resolver, limits: Limits) -> Result<Self> {
        let resolver = Arc::new(resolver);
        let client = builder(limits).no_proxy().dns_resolver(Arc::clone(&resolver)).build()?;
        Ok(Self { client, resolver: Some(resolver), limits })
    }

    /// A client for a host that the operator configures.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn unguarded(limits: Limits) -> Result<Self> {
        Ok(Self { client: builder(limits).build()?, resolver: None, limits })
    }

    /// Checks a URL and, if the client is guarded, the addresses of its host, to report an error to the
    /// user early. Each request repeats the check.
    ///
    /// # Errors
    /// [`Unsafe`]
    pub async fn check(&self, url: &str) -> Result<Url, Unsafe> {
        let (url, host) = self.parsed(url)?;
        if let (Host::Name(name), Some(resolver)) = (host, &self.resolver) {
            resolver.addresses(&name).await?;
        }
        Ok(url)
    }

    /// A request. Sending it reports an invalid URL.
    pub fn request(&self, method: Method, url: &str) -> Request {
        let parsed = self.parsed(url).map_err(Failure::from);
        let builder = parsed.map(|(url, _)| self.client.request(method, url));
        Request { builder, max_answer: self.limits.answer }
    }

    /// The URL and its host. A guarded client checks an IP address in any form (`0x7f000001`,
    /// `[::ffff:7f00:1]`) here, because the connector does not pass IP addresses to the resolver.
    fn parsed(&self, url: &str) -> Result<(Url, Host), Unsafe> {
        let url = Url::parse(url).map_err(|_| Unsafe::NotHttps)?;
        let host = url.host_str().ok_or(Unsafe::NotHttps)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let Some(resolver) = &self.resolver else { return Ok((url, Host::Name(host))) };
        let is_https =
            url.scheme() == "https" || (resolver.trusts_private && url.scheme() == "http");
        if !is_https || !url.username().is_empty() || url.password().is_some() {
            return Err(Unsafe::NotHttps);
        }
        match host.parse::<IpAddr>() {
            Ok(at) if resolver.trusts_private || is_public(at) => Ok((url, Host::Address)),
            Ok(_) => Err(Unsafe::Private),
            Err(_) => Ok((url, Host::Name(host))),
        }
    }
}

enum Host {
    Address,
    Name(String),
}

/// The settings of all clients: no redirects, so that no other host gets the request or its key.
fn builder(limits: Limits) -> reqwest::ClientBuilder {
    Client::builder().redirect(Policy::none()).connect_timeout(limits.connect).timeout(limits.total)
}

/// A request that is not sent yet.
#[must_use = "a request that is not sent does nothing"]
#[derive(Debug)]
pub struct Request {
    builder: Result<RequestBuilder, Failure>,
    max_answer: usize,
}

impl Request {
    fn map(self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self { builder: self.builder.map(change), ..self }
    }

    /// Adds a header.
    pub fn header(self, name: HeaderName, value: impl Display) -> Self {
        self.map(|request| request.header(name, value.to_string()))
    }

    /// Adds `Authorization: Bearer …`.
    pub fn bearer(self, token: &SecretString) -> Self {
        self.map(|request| request.bearer_auth(token.expose_secret()))
    }

    /// Adds parameters to the URL.
    pub fn query<T: Serialize + ?Sized>(self, parameters: &T) -> Self {
        self.map(|request| request.query(parameters))
    }

    /// Sends a form.
    pub fn form<T: Serialize + ?Sized>(self, form: &T) -> Self {
        self.map(|request| request.form(form))
    }

    /// Sends these bytes.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.map(|request| request.body(body))
    }

    /// Sends the request and reads the whole response.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn send(self) -> Result<Answer, Failure> {
        let mut answer = self.builder?.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > self.max_answer {
                return Err(Failure::AnswerTooLong(self.max_answer));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }

    /// Sends the request and returns the status, even if the body cannot be read.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn send_for_status(self) -> Result<Head, Failure> {
        let answer = self.builder?.send().await?;
        let head = Head { status: answer.status(), headers: answer.headers().clone() };
        drain(answer, self.max_answer).await;
        Ok(head)
    }
}

/// Reads a short response to its end, so that its connection can be reused. The connection of a longer
/// response is closed.
async fn drain(mut answer: Response, max_bytes: usize) {
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > max_bytes {
            return;
        }
    }
}
