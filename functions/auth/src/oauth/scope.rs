//! Scopes of applications: what an application may ask for, and what it gets.
//!
//! Besides the scopes of the [API](shared::scopes), there are two of OpenID Connect. They open no endpoint but
//! `GET /v1/oauth/userinfo`, and put claims into ID tokens.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use shared::scopes::{self, TenantRole};

use crate::user::User;

/// Who the user is: an ID token, and the user's id.
pub const OPENID: &str = "openid";
/// The user's e-mail address.
pub const EMAIL: &str = "email";

/// [`OPENID`] as a type: what an endpoint needs.
#[derive(Debug)]
pub struct OpenId;
impl scopes::Scope for OpenId {
    const NAME: &'static str = OPENID;
}

/// The scopes about the user, and what they allow, as the user reads it.
const IDENTITY: [(&str, &str); 2] =
    [(OPENID, "know that you are the same person each time"), (EMAIL, "know your e-mail address")];

/// A set of scopes that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Scopes(BTreeSet<&'static str>);

/// Scopes that were stored. One that exists no more is left out.
impl From<Vec<String>> for Scopes {
    fn from(names: Vec<String>) -> Self {
        Self(names.iter().filter_map(|name| known(name)).collect())
    }
}

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    IDENTITY.into_iter().chain(scopes::TABLE.iter().map(|row| (row.scope, row.allows)))
}

fn known(name: &str) -> Option<&'static str> {
    all().map(|(scope, _)| scope).find(|scope| *scope == name)
}

impl Scopes {
    /// These scopes.
    ///
    /// # Errors
    /// The first one that does not exist.
    pub fn of(names: Vec<String>) -> Result<Self, String> {
        match names.iter().find(|name| known(name).is_none()) {
            Some(unknown) => Err(unknown.clone()),
            None => Ok(names.into()),
        }
    }

    /// What is meant by a text of names with spaces between them (RFC 6749, section 3.3). Unknown ones are left out, as
    /// OpenID Connect says (Core 1.0, section 3.1.2.1); the answer tells what is granted.
    #[must_use]
    pub fn asked(text: &str) -> Self {
        Self(text.split(' ').filter_map(known).collect())
    }

    /// Those that are in both sets.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Those that this user can give: scopes about the user, and those of the user's roles. An application acts for the user's own
    /// tenant.
    #[must_use]
    pub fn of_user(&self, user: &User) -> Self {
        let has: BTreeSet<_> = scopes::of(&user.roles, TenantRole::Owner)
            .into_iter()
            .chain(IDENTITY.map(|(scope, _)| scope))
            .collect();
        Self(self.0.intersection(&has).copied().collect())
    }

    /// Those that an application has that acts for itself: all that are not about a person's account.
    #[must_use]
    pub fn of_machine(&self) -> Self {
        let is_personal = |scope: &&str| [OPENID, EMAIL, scopes::ACCOUNT].contains(scope);
        Self(self.0.iter().copied().filter(|scope| !is_personal(scope)).collect())
    }

    /// Whether there is this one.
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they allow, as a user reads it.
    #[must_use]
    pub fn allows(&self) -> Vec<&'static str> {
        all().filter(|(scope, _)| self.has(scope)).map(|(_, allows)| allows).collect()
    }

    /// The names of all scopes.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        all().map(|(scope, _)| scope).collect()
    }
}

/// The names, with spaces between them.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().copied().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use shared::clock::Clock;
    use shared::id::Ids;

    use super::*;

    #[test]
    fn a_scope_has_one_meaning() {
        let names = Scopes::names();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn what_is_not_known_is_left_out_of_a_request_and_refused_in_a_registration() {
        let asked = Scopes::asked("orders:read openid  offline_access orders orders:read ");
        assert_eq!(asked.to_string(), "openid orders:read");
        assert_eq!(Scopes::of(vec!["openid".into(), "orders".into()]), Err("orders".into()));
        assert!(Scopes::asked("").is_empty() && !asked.is_empty());
        let stored: Scopes = serde_json::from_str(r#"["openid", "long ago"]"#).unwrap();
        assert_eq!(serde_json::to_string(&stored).unwrap(), r#"["openid"]"#);
    }

    #[test]
    fn a_user_gives_only_what_the_user_has() {
        let ids = Ids::random(Clock::System);
        let email = String::from("ada@example.org").try_into().unwrap();
        let user = User::register(email, &ids, Clock::System.now());
        let asked = Scopes::asked("openid email account admin orders:read");
        assert_eq!(asked.of_user(&user).to_string(), "account email openid orders:read");
        assert_eq!(asked.of_machine().to_string(), "admin orders:read");
        let registered = Scopes::asked("openid admin");
        assert_eq!(asked.within(&registered).of_user(&user).to_string(), "openid");
        assert_eq!(asked.allows().len(), 5);
    }
}
