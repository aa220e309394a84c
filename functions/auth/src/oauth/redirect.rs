//! Where a browser may be sent: the addresses that an application registers.
//!
//! **Guarantees.** A browser is sent only to an address that is registered, character by character
//! ([RFC 9700, 2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1)). The one exception is the port of a loopback address,
//! which a program on the user's own machine gets at random
//! ([RFC 8252, 7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)). An address is `https`, `http` to the user's own machine,
//! or has a scheme that belongs to a program, such as `com.example.app:`. It is not `[::1]`: the rules for pages of browsers
//! (Content-Security-Policy, level 3, `host-source`) have no spelling of it, so browsers would not go there from our forms.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use shared::http::contract;
use url::{Host, Url};

/// The maximum length of an address, in bytes.
const MAX_BYTES: usize = 512;

/// A registered address, in the only spelling that is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RedirectUri(String);

contract::text!(
    RedirectUri,
    "^[a-z][a-z0-9+.-]*:[!-~]{1,510}$",
    "https://app.example.org/callback",
    "An address to which a browser is sent with a code: `https`, `http` to the user's own machine, or a scheme with a dot, \
     which belongs to a program. It has no fragment, and no user name."
);

/// Why a text is no address to which a browser may be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is no URL.
    #[error("it is not a URL of at most {MAX_BYTES} characters")]
    NoUrl,
    /// Another spelling is the same URL.
    #[error("write it as {0}, because it is compared character by character")]
    Spelling(String),
    /// The scheme is one that a browser must not be sent to.
    #[error("it is https, or http to 127.0.0.1 or localhost, or a scheme with a dot in it")]
    Scheme,
    /// A browser or an attacker would use the fragment or the name for something else.
    #[error("it has no fragment, and no user name")]
    Parts,
}

impl TryFrom<String> for RedirectUri {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let url = Url::parse(&text).ok().filter(|_| text.len() <= MAX_BYTES);
        let url = url.ok_or(Invalid::NoUrl)?;
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::Parts);
        }
        let is_allowed = match url.scheme() {
            "https" => true,
            "http" => is_loopback(&url) || url.host_str() == Some("localhost"),
            other => other.contains('.'),
        };
        if !is_allowed {
            return Err(Invalid::Scheme);
        }
        if url.as_str() != text {
            return Err(Invalid::Spelling(url.into()));
        }
        Ok(Self(text))
    }
}

impl RedirectUri {
    /// The address that a request asks for, if it is this one.
    #[must_use]
    pub fn matched(&self, asked: &str) -> Option<Target> {
        let is_same = self.0 == asked || self.is_same_but_for_the_port(asked);
        is_same.then(|| Url::parse(asked).ok().map(Target)).flatten()
    }

    fn is_same_but_for_the_port(&self, asked: &str) -> bool {
        let (Ok(mut ours), Ok(mut theirs)) = (Url::parse(&self.0), Url::parse(asked)) else {
            return false;
        };
        is_loopback(&ours)
            && ours.scheme() == "http"
            && theirs.as_str() == asked
            && ours.set_port(None).is_ok()
            && theirs.set_port(None).is_ok()
            && ours == theirs
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip == Ipv4Addr::LOCALHOST,
        _ => false,
    }
}

/// Where a browser is sent: a registered address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// The address with these parameters. What it has already stays as it is.
    #[must_use]
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }

    /// Whether only the owner of a name in the DNS gets what is sent there. A loopback address and the scheme of a program may
    /// belong to any program on the user's machine.
    #[must_use]
    pub fn has_an_owner(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// What a rule of a Content-Security-Policy has for it: an origin, or the scheme of a program.
    #[must_use]
    pub fn source(&self) -> String {
        let origin = self.0.origin();
        if origin.is_tuple() {
            origin.ascii_serialization()
        } else {
            format!("{}:", self.0.scheme())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn registered(text: &str) -> Result<RedirectUri, Invalid> {
        RedirectUri::try_from(text.to_owned())
    }

    #[test]
    fn addresses_of_applications_are_taken() {
        for text in [
            "https://app.example.org/",
            "https://app.example.org/callback?tenant=1",
            "https://app.example.org:8443/a/b",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:3000/callback",
            "http://localhost:3000/callback",
            "com.example.app:/callback",
            "com.example.app://callback",
        ] {
            let uri = registered(text).unwrap();
            assert_eq!(uri.matched(text).unwrap().0.as_str(), text);
        }
    }

    #[test]
    fn an_address_that_could_be_misused_is_refused() {
        for (text, expected) in [
            ("", Invalid::NoUrl),
            ("/callback", Invalid::NoUrl),
            ("//example.org/callback", Invalid::NoUrl),
            ("https://", Invalid::NoUrl),
            ("http://app.example.org/", Invalid::Scheme),
            ("http://localhost.example.org/", Invalid::Scheme),
            ("http://127.0.0.1.example.org/", Invalid::Scheme),
            ("http://127.0.0.2/", Invalid::Scheme),
            ("http://[::1]/", Invalid::Scheme),
            ("javascript:alert(1)", Invalid::Scheme),
            ("data:text/html,x", Invalid::Scheme),
            ("ftp://example.org/", Invalid::Scheme),
            ("myapp:/callback", Invalid::Scheme),
            ("https://app.example.org/#token", Invalid::Parts),
            ("https://app.example.org/#", Invalid::Parts),
            ("https://good.example@evil.example/", Invalid::Parts),
        ] {
            assert_eq!(registered(text), Err(expected), "{text}");
        }
        for (text, spelling) in [
            ("https://app.example.org", "https://app.example.org/"),
            ("HTTPS://App.Example.org/", "https://app.example.org/"),
            ("https://app.example.org:443/", "https://app.example.org/"),
            ("https://app.example.org/a/../b", "https://app.example.org/b"),
            ("https://app.example.org\\@evil.example/", "https://app.example.org/@evil.example/"),
            ("https://app.example.org/\t", "https://app.example.org/"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ] {
            assert_eq!(registered(text), Err(Invalid::Spelling(spelling.into())), "{text}");
        }
        assert_eq!(
            registered(&format!("https://a.example/{}", "a".repeat(500))),
            Err(Invalid::NoUrl)
        );
    }

    #[test]
    fn only_the_registered_address_matches() {
        let uri = registered("https://app.example.org/callback").unwrap();
        for other in [
            "https://app.example.org/callback/",
            "https://app.example.org/callback?a=b",
            "https://app.example.org/callback#",
            "https://app.example.org/Callback",
            "https://app.example.org/callback%20",
            "https://app.example.org:444/callback",
            "https://evil.example/callback",
            "https://app.example.org.evil.example/callback",
            "https://app.example.org/callback\r\nLocation: https://evil.example",
            "http://app.example.org/callback",
            "",
        ] {
            assert_eq!(uri.matched(other), None, "{other}");
        }
    }

    #[test]
    fn a_program_on_the_users_machine_may_have_any_port() {
        let uri = registered("http://127.0.0.1/callback").unwrap();
        let ours = uri.matched("http://127.0.0.1:51004/callback").unwrap();
        assert_eq!(ours.source(), "http://127.0.0.1:51004");
        for other in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:51004/callback?a=b",
            "http://127.0.0.2:51004/callback",
            "http://[::1]:51004/callback",
            "http://localhost:51004/callback",
            "https://127.0.0.1:51004/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.1:51004/callback",
            "http://a@127.0.0.1:51004/callback",
        ] {
            assert_eq!(uri.matched(other), None, "{other}");
        }
        let fixed = registered("https://127.0.0.1:3000/callback").unwrap();
        assert_eq!(fixed.matched("https://127.0.0.1:3001/callback"), None);
        let named = registered("http://localhost:3000/callback").unwrap();
        assert_eq!(named.matched("http://localhost:3001/callback"), None);
    }

    #[test]
    fn parameters_are_added_to_those_that_are_there() {
        let with = |text: &str| {
            let uri = registered(text).unwrap().matched(text).unwrap();
            uri.with(&[("code", "a&b=c#d"), ("state", "é\r\n")])
        };
        let added = "code=a%26b%3Dc%23d&state=%C3%A9%0D%0A";
        assert_eq!(with("https://a.example/"), format!("https://a.example/?{added}"));
        assert_eq!(with("https://a.example/?x=%20y"), format!("https://a.example/?x=%20y&{added}"));
        assert_eq!(with("com.example.app:/cb"), format!("com.example.app:/cb?{added}"));
        let target =
            registered("com.example.app:/cb").unwrap().matched("com.example.app:/cb").unwrap();
        assert_eq!((target.source().as_str(), target.has_an_owner()), ("com.example.app:", false));
    }

    proptest! {
        /// Whatever is asked for, a browser goes nowhere else than to the registered host.
        #[test]
        fn no_text_leads_to_another_host(text in ".*", tail in "[ -~]{0,40}") {
            let uri = registered("http://127.0.0.1/callback").unwrap();
            for asked in [text, format!("http://127.0.0.1{tail}")] {
                if let Some(target) = uri.matched(&asked) {
                    prop_assert_eq!(target.0.host_str(), Some("127.0.0.1"));
                    prop_assert_eq!(target.0.path(), "/callback");
                }
            }
        }
    }
}
