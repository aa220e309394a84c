//! Telling somebody else's server, as [Standard Webhooks](https://www.standardwebhooks.com) have it:
//! `webhook-id`, `webhook-timestamp`, and `webhook-signature`, an HMAC-SHA256 of both and the body.
//!
//! **Guarantees.** Nothing is posted into a private network, whatever a name server answers: the
//! connection itself is made only to addresses that were looked at. A receiver can tell that a message
//! is ours and new, and, as an id stays the same however often the message is sent, that it has had it
//! before. A post ends within [`MAX_TIME`], whatever the receiver or a name server does.
//!
//! A secret must be at hand to sign, so it is not hashed: DynamoDB encrypts it at rest. Here it is a
//! [`SecretString`], which no log prints.

mod public;
mod resolver;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use self::public::is_public;
use self::resolver::Resolver;
use crate::batch::Failure;
use crate::{Error, Result};

/// The longest that a post takes in all, with looking up the host and reading the answer.
pub const MAX_TIME: Duration = Duration::from_secs(10);
/// How much of an answer is read, so that the connection can be used again.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// The shortest and the longest wait that a receiver's `Retry-After` can ask for.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));
/// How many bytes a secret has.
pub const SECRET_BYTES: usize = 32;
/// What stands before a secret, so that it is known for one.
pub const SECRET_PREFIX: &str = "whsec_";

/// Where somebody is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The URL that is posted to.
    pub url: String,
    /// What signs the posts, in base 64. The receiver has it too.
    #[serde(serialize_with = "exposed")]
    pub secret: SecretString,
    /// Since when nothing is posted, because the receiver answered that it is gone (410).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
}

/// For the table alone.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl PartialEq for Webhook {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
            && self.secret.expose_secret() == other.secret.expose_secret()
            && self.gone_at == other.gone_at
    }
}

impl Eq for Webhook {}

impl Webhook {
    /// A webhook at `url`, with a new secret.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn at(url: String) -> Result<Self> {
        let mut random = [0; SECRET_BYTES];
        rand::fill(&mut random).map_err(|_| Error::internal("no randomness"))?;
        Ok(Self { url, secret: new_secret(random).into(), gone_at: None })
    }
}

/// Posts to others' servers, through one client that keeps its connections.
#[derive(Clone, Debug)]
pub struct Courier {
    resolver: Arc<Resolver>,
    client: Client,
}

/// Why a post did not succeed.
#[derive(Debug)]
pub enum NotTaken {
    /// The receiver answered 410: it wants no more posts, ever.
    Gone,
    /// The receiver answered 429 or 503 and asks for this wait, which is taken as 1 s to 1 h.
    Later(Duration),
    /// Anything else.
    Failed(Error),
}

impl NotTaken {
    /// What the batch is told: when to try again, or, when that was the `last` time, to give up.
    #[must_use]
    pub fn failure(self, last: bool) -> Failure {
        let (error, after) = match self {
            Self::Gone => (Error::internal("the server says that it is gone (410)"), None),
            Self::Later(wait) => (Error::internal("the server asks to wait"), Some(wait)),
            Self::Failed(error) => (error, None),
        };
        if last { Failure::Permanent(error) } else { Failure::Retry { error, after } }
    }
}

/// Why a URL is not posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    /// It is no URL, or not one of HTTPS.
    #[error("a URL of https:// is needed, without a user or a password")]
    NotHttps,
    /// It leads into a private network, where nobody else has business.
    #[error("the host's addresses must be public")]
    Private,
    /// Its host has no address.
    #[error("the host's name does not resolve")]
    Unknown,
}

impl Courier {
    /// A courier that posts by HTTPS to public addresses; by HTTP and to private ones too if it
    /// `trusts_private`, on a laptop only.
    ///
    /// # Errors
    /// When there is no client for it.
    pub fn new(trusts_private: bool) -> Result<Self> {
        Self::with(Resolver::system(trusts_private))
    }

    fn with(resolver: Resolver) -> Result<Self> {
        let resolver = Arc::new(resolver);
        let client = Client::builder()
            .timeout(MAX_TIME)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::clone(&resolver))
            .build()?;
        Ok(Self { resolver, client })
    }

    /// Looks at a URL and at where it leads.
    ///
    /// # Errors
    /// [`Unsafe`]
    pub async fn check(&self, url: &str) -> Result<Url, Unsafe> {
        let (url, host) = self.parsed(url)?;
        if let Host::Name(name) = host {
            self.resolver.addresses(&name).await?;
        }
        Ok(url)
    }

    /// The URL and its host. An address in any of its forms (`0x7f000001`, `[::ffff:7f00:1]`) is
    /// judged here, for the client connects to one without asking the resolver.
    fn parsed(&self, url: &str) -> Result<(Url, Host), Unsafe> {
        let url = Url::parse(url).map_err(|_| Unsafe::NotHttps)?;
        let trusts_private = self.resolver.trusts_private;
        let is_https = url.scheme() == "https" || (trusts_private && url.scheme() == "http");
        if !is_https || !url.username().is_empty() || url.password().is_some() {
            return Err(Unsafe::NotHttps);
        }
        let host = url.host_str().ok_or(Unsafe::NotHttps)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = match host.parse::<IpAddr>() {
            Ok(address) if trusts_private || is_public(address) => Host::Address,
            Ok(_) => return Err(Unsafe::Private),
            Err(_) => Host::Name(host.to_owned()),
        };
        Ok((url, host))
    }

    /// Posts `body`; any answer but 2xx is an error. No redirect is followed.
    ///
    /// # Errors
    /// [`NotTaken`]
    pub async fn post(
        &self,
        webhook: &Webhook,
        id: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        let answer = self.posted(webhook, id, body, now).await.map_err(NotTaken::Failed)?;
        let status = answer.status();
        let wait = retry_after(&answer, now);
        drain(answer).await;
        match status {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(NotTaken::Gone),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if wait.is_some() => {
                Err(NotTaken::Later(wait.unwrap_or_default()))
            }
            status => {
                Err(NotTaken::Failed(Error::internal(format!("the server answered {status}"))))
            }
        }
    }

    async fn posted(
        &self,
        webhook: &Webhook,
        id: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<Response> {
        let (url, _) = self.parsed(&webhook.url)?;
        let timestamp = now.as_second();
        let signature = sign(webhook.secret.expose_secret(), id, timestamp, body)?;
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body.to_owned());
        Ok(request.send().await.map_err(reqwest::Error::without_url)?)
    }
}

enum Host {
    Address,
    Name(String),
}

/// The wait that an answer asks for (RFC 9110: seconds, or a date), within [`RETRY_AFTER`].
fn retry_after(answer: &Response, now: Timestamp) -> Option<Duration> {
    let value = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse::<u64>().ok().or_else(|| {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        Some(u64::try_from(date.as_second() - now.as_second()).unwrap_or_default())
    })?;
    Some(Duration::from_secs(seconds).clamp(RETRY_AFTER.0, RETRY_AFTER.1))
}

/// Reads a short answer to its end. The connection of a longer one is closed.
async fn drain(mut answer: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > MAX_ANSWER_BYTES {
            return;
        }
    }
}

/// A new secret, as the receiver is given it.
#[must_use]
pub fn new_secret(random: [u8; SECRET_BYTES]) -> String {
    format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(random))
}

fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Result<String> {
    let secret = BASE64_STANDARD.decode(secret.trim_start_matches(SECRET_PREFIX))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", BASE64_STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    #[test]
    fn a_message_is_signed_as_the_standard_has_it() {
        // The example of the specification's reference libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signature =
            sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let webhook = Webhook::at("https://1.1.1.1/".into()).unwrap();
        let text = format!("{webhook:?}");
        assert!(!text.contains(webhook.secret.expose_secret()), "{text}");
        assert!(!text.contains(SECRET_PREFIX), "{text}");
        let stored = serde_json::to_value(&webhook).unwrap();
        assert_eq!(serde_json::from_value::<Webhook>(stored).unwrap(), webhook);
    }

    #[tokio::test]
    async fn only_public_https_is_posted_to() {
        let courier = Courier::new(false).unwrap();
        for (url, why) in [
            ("http://1.1.1.1/", Unsafe::NotHttps),
            ("ftp://1.1.1.1/", Unsafe::NotHttps),
            ("https://user@1.1.1.1/", Unsafe::NotHttps),
            ("nonsense", Unsafe::NotHttps),
            ("https://127.0.0.1/", Unsafe::Private),
            ("https://2130706433/", Unsafe::Private),
            ("https://0177.0.0.1/", Unsafe::Private),
            ("https://0x7f000001/", Unsafe::Private),
            ("https://127.1/", Unsafe::Private),
            ("https://[::1]/", Unsafe::Private),
            ("https://[::ffff:7f00:1]/", Unsafe::Private),
            ("https://[::ffff:10.0.0.1]/", Unsafe::Private),
            ("https://[3fff::1]/", Unsafe::Private),
            ("https://localhost/", Unsafe::Private),
        ] {
            assert_eq!(courier.check(url).await.unwrap_err(), why, "{url}");
            let webhook = Webhook::at(url.into()).unwrap();
            let posted = courier.post(&webhook, "msg", "{}", Timestamp::UNIX_EPOCH).await;
            assert!(matches!(posted, Err(NotTaken::Failed(_))), "{url}");
        }
        assert!(courier.check("https://1.1.1.1/hook").await.is_ok());
    }

    #[tokio::test]
    async fn a_name_that_becomes_private_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let answers = std::sync::atomic::AtomicUsize::new(0);
        let courier = Courier::with(Resolver::asking(false, move |_| {
            let first = answers.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            let address = if first { "1.1.1.1:0" } else { "127.0.0.1:0" };
            vec![address.parse().unwrap()]
        }));
        let courier = courier.unwrap();
        let url = format!("https://rebind.example.org:{}/", listener.local_addr().unwrap().port());
        courier.check(&url).await.unwrap();
        let webhook = Webhook::at(url).unwrap();
        let posted = courier.post(&webhook, "msg", "{}", Timestamp::UNIX_EPOCH).await;
        let Err(NotTaken::Failed(error)) = posted else { panic!("{posted:?}") };
        assert!(error.trail().contains("must be public"), "{error:?}");
        assert!(listener.accept().is_err(), "nothing is connected to");
    }

    async fn answered(answer: ResponseTemplate) -> Result<(), NotTaken> {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let webhook = Webhook::at(server.uri()).unwrap();
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        Courier::new(true).unwrap().post(&webhook, "msg", "{}", now).await
    }

    #[tokio::test]
    async fn a_receiver_says_when_to_come_again() {
        for (status, header, wait) in [
            (429, "7", Some(7)),
            (503, "0", Some(1)),
            (503, "999999", Some(3600)),
            (429, "Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            (429, "Sun, 06 Nov 1994 08:00:00 GMT", Some(1)),
            (429, "soon", None),
            (500, "7", None),
        ] {
            let answer = ResponseTemplate::new(status).insert_header("retry-after", header);
            let asked = match answered(answer).await {
                Err(NotTaken::Later(wait)) => Some(wait.as_secs()),
                Err(NotTaken::Failed(_)) => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(asked, wait, "{status} {header}");
        }
        assert!(matches!(answered(ResponseTemplate::new(410)).await, Err(NotTaken::Gone)));
        let long = ResponseTemplate::new(200).set_body_string("a".repeat(1_000_000));
        assert!(answered(long).await.is_ok());
    }
}
