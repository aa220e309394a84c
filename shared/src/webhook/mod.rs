//! Telling somebody else's server, as [Standard Webhooks](https://www.standardwebhooks.com) have it:
//! `webhook-id`, `webhook-timestamp`, and `webhook-signature`, an HMAC-SHA256 of both and the body.
//!
//! **Guarantees.** Nothing is posted into a private network, whatever a name server answers. A receiver
//! can tell that a message is ours and new, and, as an id stays the same however often the message is
//! sent, that it has had it before.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest that a receiver may take, in all.
const MAX_TIME: Duration = Duration::from_secs(10);
/// How many bytes a secret has.
pub const SECRET_BYTES: usize = 32;
/// What stands before a secret, so that it is known for one.
pub const SECRET_PREFIX: &str = "whsec_";

/// Where somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The URL that is posted to.
    pub url: String,
    /// What signs the posts, in base 64. The receiver has it too.
    pub secret: String,
}

impl Webhook {
    /// A webhook at `url`, with a new secret.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn at(url: String) -> Result<Self> {
        let mut random = [0; SECRET_BYTES];
        rand::fill(&mut random).map_err(|_| Error::internal("no randomness"))?;
        Ok(Self { url, secret: new_secret(random) })
    }
}

/// Posts to others' servers.
#[derive(Clone, Debug)]
pub struct Courier {
    /// Whether plain HTTP and private addresses are taken; on a laptop only.
    pub trusts_private: bool,
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
    /// Looks at a URL and at where it leads; gives the addresses that may be connected to.
    ///
    /// # Errors
    /// [`Unsafe`]
    pub async fn check(&self, url: &str) -> Result<(Url, Vec<SocketAddr>), Unsafe> {
        let url = Url::parse(url).map_err(|_| Unsafe::NotHttps)?;
        let is_https = url.scheme() == "https" || (self.trusts_private && url.scheme() == "http");
        if !is_https || !url.username().is_empty() || url.password().is_some() {
            return Err(Unsafe::NotHttps);
        }
        let host = url.host_str().ok_or(Unsafe::NotHttps)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().ok_or(Unsafe::NotHttps)?;
        let found = tokio::net::lookup_host((host, port)).await.map_err(|_| Unsafe::Unknown)?;
        let addresses: Vec<_> = found.collect();
        match addresses.first() {
            None => Err(Unsafe::Unknown),
            _ if self.trusts_private || addresses.iter().all(|at| is_public(at.ip())) => {
                Ok((url, addresses))
            }
            _ => Err(Unsafe::Private),
        }
    }

    /// Posts `body`; any answer but 2xx is an error. The connection goes to an address that was
    /// checked, and no redirect is followed, so that no answer of a name server leads elsewhere.
    ///
    /// # Errors
    /// As above, and when the receiver does not take it.
    pub async fn post(
        &self,
        webhook: &Webhook,
        id: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<()> {
        let (url, addresses) = self.check(&webhook.url).await?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let client = Client::builder()
            .timeout(MAX_TIME)
            .redirect(Policy::none())
            .no_proxy()
            .resolve_to_addrs(&host, &addresses)
            .build()?;
        let timestamp = now.as_second();
        let answer = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", sign(&webhook.secret, id, timestamp, body)?)
            .body(body.to_owned())
            .send()
            .await
            .map_err(reqwest::Error::without_url)?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(Error::internal("the server says that it is gone (410)")),
            status => Err(Error::internal(format!("the server answered {status}"))),
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

/// Whether an address is one of the internet's, and none of a private network, of this machine or of a
/// cloud's metadata (IANA's special-purpose registries, as far as they are not globally reachable).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && b & 0xC0 == 64)
                || (a == 198 && b & 0xFE == 18)
                || (a == 192 && b == 0 && c == 0))
        }
        IpAddr::V6(ip) => {
            // Global unicast but for documentation, Teredo, 6to4 and the like, which lead elsewhere.
            let [a, b, ..] = ip.segments();
            let is_global =
                a & 0xE000 == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xDB8));
            ip.to_ipv4_mapped().map_or(is_global, |mapped| is_public(mapped.into()))
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn private_addresses_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "::ffff:10.0.0.1",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "64:ff9b::a00:1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn only_public_https_is_posted_to() {
        let courier = Courier { trusts_private: false };
        for (url, why) in [
            ("http://1.1.1.1/", Unsafe::NotHttps),
            ("ftp://1.1.1.1/", Unsafe::NotHttps),
            ("https://user@1.1.1.1/", Unsafe::NotHttps),
            ("nonsense", Unsafe::NotHttps),
            ("https://127.0.0.1/", Unsafe::Private),
            ("https://[::1]/", Unsafe::Private),
            ("https://0x7f000001/", Unsafe::Private),
            ("https://localhost/", Unsafe::Private),
        ] {
            assert_eq!(courier.check(url).await.unwrap_err(), why, "{url}");
        }
        assert!(courier.check("https://1.1.1.1/hook").await.is_ok());
    }
}
