//! The providers that the operator has configured: `IDENTITY_PROVIDERS`, a JSON list.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::http::contract;
use url::{Host, Url};

/// The issuer of GitHub, as its answers name it.
const GITHUB: &str = "https://github.com/login/oauth";
/// The maximum length of a name and of a client id, in characters.
const MAX_TEXT: usize = 200;

/// The short name of a provider: in URLs, in the table and in the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ProviderId(String);

contract::text!(ProviderId, "^[a-z][a-z0-9-]{0,31}$", "google", "The short name of a provider.");

impl ProviderId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProviderId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let is_letter = |byte: u8| byte.is_ascii_lowercase();
        let is_allowed = |byte: u8| is_letter(byte) || byte.is_ascii_digit() || byte == b'-';
        let is_valid = text.bytes().next().is_some_and(is_letter)
            && text.bytes().all(is_allowed)
            && text.len() <= 32;
        if is_valid { Ok(Self(text)) } else { Err("id: 1 to 32 of a-z, 0-9 and -, first a letter") }
    }
}

/// What a provider speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// OpenID Connect.
    #[default]
    OpenId,
    /// OAuth as GitHub does it: without ID tokens.
    GitHub,
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its short name.
    pub id: ProviderId,
    /// Its name for people.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// Its URL.
    pub issuer: String,
    /// Which application we are there.
    pub client_id: String,
}

impl Provider {
    /// Whether the provider is a program on this machine: in tests, and on a laptop.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        Url::parse(&self.issuer).is_ok_and(|url| is_loopback(&url))
    }

    /// The text as a URL that this provider may have.
    pub(super) fn endpoint(&self, text: &str) -> Option<Url> {
        endpoint(text).filter(|url| self.is_on_this_machine() || !is_loopback(url))
    }
}

/// The text as the URL of an endpoint: `https`, or `http` on this machine.
fn endpoint(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let is_plain =
        url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_safe && is_plain).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// All providers, in the order of their buttons.
#[derive(Clone, Debug, Default)]
pub struct Providers(Arc<[Provider]>);

/// An entry of the list is not valid: which one, and why. It names the field.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The text is no list.
    #[error("it is not a JSON list")]
    NoList,
    /// An entry is not valid.
    #[error("entry {number}: {reason}")]
    Entry {
        /// The number of the entry, from 1.
        number: usize,
        /// The field, and what is wrong with it.
        reason: String,
    },
}

impl Providers {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Provider] {
        &self.0
    }
}

impl FromStr for Providers {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let entries: Vec<Value> = serde_json::from_str(text).map_err(|_| Invalid::NoList)?;
        let mut providers: Vec<Provider> = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let at = |reason| Invalid::Entry { number: index + 1, reason };
            let provider = provider(entry).map_err(at)?;
            if providers.iter().any(|other| other.id == provider.id) {
                return Err(at(format!("id: {} is there twice", provider.id)));
            }
            providers.push(provider);
        }
        Ok(Self(providers.into()))
    }
}

/// An entry of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: ProviderId,
    name: String,
    #[serde(default)]
    kind: Kind,
    issuer: Option<String>,
    client_id: String,
}

fn provider(entry: Value) -> Result<Provider, String> {
    let entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    let Entry { id, name, kind, issuer, client_id } = entry;
    for (field, text) in [("name", &name), ("client_id", &client_id)] {
        let is_text = !text.trim().is_empty() && !text.contains(char::is_control);
        if !is_text || text.chars().count() > MAX_TEXT {
            return Err(format!("{field}: 1 to {MAX_TEXT} characters"));
        }
    }
    let of_github = (kind == Kind::GitHub).then(|| GITHUB.to_owned());
    let issuer = issuer.or(of_github).ok_or("issuer: it is missing")?;
    // The answers of the provider name the issuer character by character.
    let url = endpoint(&issuer).filter(|url| url.query().is_none());
    url.ok_or("issuer: https, or http on this machine, without a query")?;
    Ok(Provider { id, name, kind, issuer, client_id })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn google() -> Value {
        json!({"id": "google", "name": "Google", "issuer": "https://accounts.google.com", "client_id": "x"})
    }

    fn read(entries: &[Value]) -> Result<Vec<Provider>, String> {
        let read = json!(entries).to_string().parse::<Providers>();
        read.map(|providers| providers.all().to_vec()).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn providers_are_read_in_their_order() {
        let github = json!({"id": "github", "name": "GitHub", "kind": "github", "client_id": "y"});
        let read = read(&[google(), github]).unwrap();
        assert_eq!([read[0].kind, read[1].kind], [Kind::OpenId, Kind::GitHub]);
        assert_eq!(read[0].issuer, "https://accounts.google.com");
        assert_eq!(read[1].issuer, "https://github.com/login/oauth");
        assert_eq!("[]".parse::<Providers>().unwrap().all(), []);
    }

    #[test]
    fn a_wrong_entry_is_named_with_its_field() {
        for (field, value) in [
            ("id", json!("Google")),
            ("id", json!("")),
            ("id", json!("a".repeat(33))),
            ("name", json!("  ")),
            ("name", json!("a\nb")),
            ("client_id", json!("")),
            ("kind", json!("saml")),
            ("issuer", json!("http://accounts.google.com")),
            ("issuer", json!("https://user@accounts.google.com")),
            ("issuer", json!("https://accounts.google.com?x=1")),
            ("issuer", json!("accounts.google.com")),
        ] {
            let mut entry = google();
            entry[field] = value;
            let error = read(&[google(), entry]).unwrap_err();
            assert!(error.starts_with("entry 2: "), "{error}");
            assert!(error.contains(field) || error.contains("saml"), "{field}: {error}");
        }
        for field in ["id", "name", "issuer", "client_id"] {
            let mut entry = google();
            entry.as_object_mut().unwrap().remove(field);
            let error = read(&[entry]).unwrap_err();
            assert!(error.starts_with("entry 1: ") && error.contains(field), "{error}");
        }
        let mut entry = google();
        entry["client_secret"] = json!("x");
        assert!(read(&[entry]).unwrap_err().contains("unknown field `client_secret`"));
        assert!(read(&[google(), google()]).unwrap_err().contains("google is there twice"));
        assert_eq!("{}".parse::<Providers>().unwrap_err(), Invalid::NoList);
    }

    #[test]
    fn only_a_provider_on_this_machine_has_endpoints_there() {
        let of = |issuer: &str| {
            let mut entry = google();
            entry["issuer"] = json!(issuer);
            read(&[entry]).unwrap().remove(0)
        };
        let (far, near) = (of("https://accounts.google.com"), of("http://127.0.0.1:8080"));
        assert!(!far.is_on_this_machine() && near.is_on_this_machine());
        assert!(far.endpoint("https://oauth2.googleapis.com/token").is_some());
        for text in
            ["http://oauth2.googleapis.com/token", "http://127.0.0.1/x", "https://localhost/x"]
        {
            assert!(far.endpoint(text).is_none(), "{text}");
        }
        assert!(near.endpoint("http://127.0.0.1:8080/token").is_some());
        assert!(near.endpoint("http://192.168.0.1/token").is_none());
    }
}
