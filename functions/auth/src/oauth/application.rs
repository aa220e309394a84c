//! Applications: programs of other people, or of ours, that sign users in and call the API (*clients* of OAuth).

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Id, Ids, Kind, TenantId, UserId};
use shared::scopes::{ACCOUNT, ADMIN};
use utoipa::ToSchema;

use super::redirect::{RedirectUri, Target};
use super::scope::Scopes;
use crate::random_token::{self, RandomToken};
use crate::unicode::is_visible;

/// The maximum length of a name, in characters.
const MAX_NAME: usize = 60;
/// The maximum number of addresses.
const MAX_REDIRECT_URIS: usize = 10;
/// The maximum number of secrets that are good at once.
const MAX_SECRETS: usize = 4;
/// How long the former secret is good after a new one was made.
pub const OVERLAP: Duration = Duration::from_hours(24);

/// An application's id.
#[derive(Debug)]
pub enum OfApplication {}
impl Kind for OfApplication {
    const PREFIX: &'static str = "app";
}
/// An application's id: the `client_id` of OAuth.
pub type ApplicationId = Id<OfApplication>;

/// The kind of an application's secrets.
#[derive(Debug)]
pub enum OfSecret {}
impl random_token::Kind for OfSecret {
    const PREFIX: &'static str = "arsenal_cs_";
    const EXPECTED: &'static str = "it is the secret of an application, from arsenal_cs_ on";
}
/// The secret of an application: the `client_secret` of OAuth.
pub type Secret = RandomToken<OfSecret>;

/// Whether an application can keep a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ApplicationKind)]
pub enum ApplicationKind {
    /// It runs on a server of its own, and has a secret.
    Confidential,
    /// It runs in a browser or on a user's device, and has none.
    Public,
}

/// A way to get tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ApplicationGrant)]
pub enum Grant {
    /// A user signs in with a browser, and allows it.
    AuthorizationCode,
    /// The application acts for itself, with its secret.
    ClientCredentials,
    /// A user types the code that a device shows, and allows it.
    DeviceCode,
}

/// What somebody registers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// What users read when they are asked to allow it.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// Whether it can keep a secret.
    pub kind: ApplicationKind,
    /// The ways in which it gets tokens. At least one.
    #[schema(min_items = 1)]
    pub grants: Vec<Grant>,
    /// Where a browser may be sent with a code. Up to 10.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// Whether it is one of yours: then users are not asked to allow it.
    #[serde(default)]
    pub is_first_party: bool,
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Application {
    /// The application's id: the `client_id` of OAuth.
    pub id: ApplicationId,
    /// What users read when they are asked to allow it.
    pub name: String,
    /// Whether it can keep a secret.
    pub kind: ApplicationKind,
    /// The ways in which it gets tokens.
    pub grants: Vec<Grant>,
    /// Where a browser may be sent with a code.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for.
    #[schema(value_type = Vec<String>)]
    pub scopes: Scopes,
    /// Whether it is one of ours: then users are not asked to allow it.
    pub is_first_party: bool,
    /// The user that the application is when it acts for itself. Nobody can sign in as this user.
    pub user: UserId,
    /// The tenant of that user.
    pub tenant: TenantId,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A secret of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretHash {
    hash: String,
    /// When it ends. Absent for the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// What is wrong with a registration: the field, and what it should be.
pub type Wrong = (&'static str, String);

impl Registration {
    /// The application.
    ///
    /// # Errors
    /// What is wrong.
    pub fn registered(self, ids: &Ids, now: Timestamp) -> Result<Application, Wrong> {
        let wrong = |field, detail: &str| Err((field, detail.to_owned()));
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME || !name.chars().all(is_shown) {
            return wrong("name", "1 to 60 visible characters");
        }
        if self.grants.is_empty() {
            return wrong("grants", "at least one");
        }
        let has = |grant| self.grants.contains(&grant);
        if has(Grant::ClientCredentials) && self.kind == ApplicationKind::Public {
            return wrong("grants", "client_credentials needs the kind confidential");
        }
        if has(Grant::AuthorizationCode) && self.redirect_uris.is_empty() {
            return wrong("redirect_uris", "authorization_code needs one");
        }
        let signs_users_in = has(Grant::AuthorizationCode) || has(Grant::DeviceCode);
        if !signs_users_in && !self.redirect_uris.is_empty() {
            return wrong("redirect_uris", "client_credentials has none");
        }
        if self.redirect_uris.len() > MAX_REDIRECT_URIS {
            return wrong("redirect_uris", "at most 10");
        }
        let scopes = Scopes::of(self.scopes);
        let scopes = scopes.map_err(|unknown| ("scopes", format!("{unknown:?} is no scope")))?;
        // With these, an application could do what outlives what the user has allowed.
        if (scopes.has(ACCOUNT) || scopes.has(ADMIN)) && !self.is_first_party {
            return wrong(
                "scopes",
                "account and admin are for applications of yours: is_first_party",
            );
        }
        let mut grants = Vec::new();
        for grant in self.grants {
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        Ok(Application {
            id: ids.next(),
            name: name.to_owned(),
            kind: self.kind,
            grants,
            redirect_uris: self.redirect_uris,
            scopes,
            is_first_party: self.is_first_party,
            user: ids.next(),
            tenant: ids.next(),
            created_at: now,
        })
    }
}

impl Application {
    /// Whether it may get tokens in this way.
    #[must_use]
    pub fn may(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }

    /// The registered address that a request asks for.
    #[must_use]
    pub fn target(&self, asked: &str) -> Option<Target> {
        self.redirect_uris.iter().find_map(|uri| uri.matched(asked))
    }
}

/// Whether a reader sees the character, or it is a space between words.
fn is_shown(c: char) -> bool {
    c == ' ' || is_visible(c)
}

/// Whether one of the secrets is this one, at `now`. The comparison takes constant time.
#[must_use]
pub fn knows(secrets: &[SecretHash], secret: &Secret, now: Timestamp) -> bool {
    let hash = secret.hash();
    let is_good = |known: &&SecretHash| known.until.is_none_or(|until| now < until);
    let is_same = |known: &SecretHash| {
        verify_slices_are_equal(known.hash.as_bytes(), hash.as_bytes()).is_ok()
    };
    secrets.iter().filter(is_good).any(is_same)
}

/// There are as many secrets as may be good at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{MAX_SECRETS} secrets are good already: wait until the oldest ends, or end all in an emergency"
)]
pub struct TooManySecrets;

/// The secrets with a new one. The current one is good for [`OVERLAP`] more, and former ones until their time, so that a
/// client that asks twice, because an answer was lost, breaks nothing that runs. In an emergency all former ones end.
pub fn renewed(
    secrets: &[SecretHash],
    secret: &Secret,
    emergency: bool,
    now: Timestamp,
) -> Result<Vec<SecretHash>, TooManySecrets> {
    let ending = |known: &SecretHash| {
        let until = Some(known.until.unwrap_or(now + OVERLAP));
        SecretHash { hash: known.hash.clone(), until }
    };
    let former = secrets.iter().filter(|_| !emergency).map(ending);
    let former = former.filter(|former| former.until > Some(now));
    let new = SecretHash { hash: secret.hash(), until: None };
    let all: Vec<_> = [new].into_iter().chain(former).collect();
    if all.len() > MAX_SECRETS { Err(TooManySecrets) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::clock::Clock;

    use super::*;

    fn registered(change: (&str, Value)) -> Result<Application, Wrong> {
        let mut body = json!({
            "name": "Example", "kind": "confidential", "grants": ["authorization_code"],
            "redirect_uris": ["https://app.example.org/callback"], "scopes": ["openid"],
        });
        body[change.0] = change.1;
        let registration: Registration = serde_json::from_value(body).unwrap();
        registration.registered(&Ids::random(Clock::System), Clock::System.now())
    }

    #[test]
    fn an_application_that_could_not_work_is_refused_by_its_field() {
        assert!(registered(("name", json!("  Example  "))).is_ok_and(|it| it.name == "Example"));
        for (field, value, named) in [
            ("name", json!(" "), "name"),
            ("name", json!("a".repeat(61)), "name"),
            ("name", json!("Example\u{202e}"), "name"),
            ("grants", json!([]), "grants"),
            ("grants", json!(["client_credentials"]), "redirect_uris"),
            ("redirect_uris", json!([]), "redirect_uris"),
            ("redirect_uris", json!(vec!["https://a.example/"; 11]), "redirect_uris"),
            ("scopes", json!(["openid", "all"]), "scopes"),
            ("scopes", json!(["openid", "account"]), "scopes"),
            ("scopes", json!(["openid", "admin"]), "scopes"),
        ] {
            let refused = registered((field, value.clone())).unwrap_err();
            assert_eq!(refused.0, named, "{field} {value}: {}", refused.1);
        }
        let addresses = json!(["https://app.example.org/callback"]);
        for (addresses, named) in [
            (json!([]), None),
            (addresses, None),
            (json!(vec!["https://a.example/"; 11]), Some("redirect_uris")),
        ] {
            let registration = json!({
                "name": "Television", "kind": "public", "grants": ["device_code"],
                "redirect_uris": addresses, "scopes": ["openid"],
            });
            let registration: Registration = serde_json::from_value(registration).unwrap();
            let registered =
                registration.registered(&Ids::random(Clock::System), Clock::System.now());
            assert_eq!(registered.err().map(|refused| refused.0), named);
        }
        let twice = json!(["authorization_code", "authorization_code"]);
        assert_eq!(registered(("grants", twice)).unwrap().grants.len(), 1);
    }

    #[test]
    fn a_public_application_has_nothing_to_act_for_itself_with() {
        assert!(registered(("kind", json!("public"))).is_ok());
        let both = json!(["authorization_code", "client_credentials"]);
        let registration = json!({
            "name": "Example", "kind": "public", "grants": both,
            "redirect_uris": ["https://app.example.org/"], "scopes": [],
        });
        let registration: Registration = serde_json::from_value(registration).unwrap();
        let refused = registration.registered(&Ids::random(Clock::System), Clock::System.now());
        assert_eq!(refused.unwrap_err().0, "grants");
    }

    #[test]
    fn the_former_secret_is_good_for_a_day() {
        let now: Timestamp = "2026-11-30T10:00:00Z".parse().unwrap();
        let [first, second, third] = [(); 3].map(|()| Secret::generate().unwrap());
        let next = |known: &[SecretHash], secret, emergency| renewed(known, secret, emergency, now);
        let one = next(&[], &first, false).unwrap();
        let two = next(&one, &second, false).unwrap();
        let last = OVERLAP.checked_sub(Duration::from_secs(1)).unwrap();
        assert!(knows(&two, &first, now + last) && knows(&two, &second, now + last));
        assert!(!knows(&two, &first, now + OVERLAP) && knows(&two, &second, now + OVERLAP));
        assert!(!knows(&two, &third, now) && !knows(&[], &first, now));
        let three = next(&two, &third, false).unwrap();
        for secret in [&first, &second, &third] {
            assert!(knows(&three, secret, now + last));
        }
        let fourth = Secret::generate().unwrap();
        let four = next(&three, &fourth, false).unwrap();
        assert_eq!(next(&four, &first, false), Err(TooManySecrets));
        assert!(renewed(&four, &first, false, now + OVERLAP).is_ok_and(|all| all.len() == 2));
        let alone = next(&four, &first, true).unwrap();
        assert!(alone.len() == 1 && knows(&alone, &first, now));
    }
}
