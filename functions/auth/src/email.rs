//! E-mail addresses.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A syntactically valid address, in lower case. It may not exist.
///
/// Two addresses that differ only in letter case are the same. RFC 5321 allows a case-sensitive part before
/// the `@`, but no major provider uses that, and users type both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(format = Email, max_length = 254, example = "ada@example.org")]
pub struct Email(String);

/// The text is not a valid address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address is name@domain.tld, without spaces, of at most 254 bytes")]
pub struct InvalidEmail;

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        let text = text.trim().to_lowercase();
        let (name, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let name_is_valid = !name.is_empty()
            && name.len() <= 64
            && !name.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control());
        let labels_are_valid = domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        let is_short = text.len() <= Self::MAX_BYTES;
        let is_valid = name_is_valid && labels_are_valid && domain.contains('.') && is_short;
        if is_valid { Ok(Self(text)) } else { Err(InvalidEmail) }
    }
}

impl Email {
    /// The maximum length of an address, in bytes.
    pub const MAX_BYTES: usize = 254;

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn email(text: &str) -> Result<String, InvalidEmail> {
        Email::try_from(text.to_owned()).map(|email| email.to_string())
    }

    #[test]
    fn letter_case_and_outer_spaces_are_ignored() {
        assert_eq!(email(" Ada.Lovelace@Example.ORG "), Ok("ada.lovelace@example.org".into()));
    }

    #[test]
    fn an_invalid_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        for text in
            ["", "@", "ada", "ada@", "@example.org", "ada@localhost", "ada@exa mple.org", &long]
        {
            assert_eq!(email(text), Err(InvalidEmail), "{text:?}");
        }
        for text in ["ada@@example.org", "a da@example.org", "ada@example..org", "ada@-a.org"] {
            assert_eq!(email(text), Err(InvalidEmail), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent(text in "\\PC{0,20}@\\PC{0,20}") {
            if let Ok(once) = email(&text) {
                prop_assert_eq!(email(&once), Ok(once.clone()));
            }
        }
    }
}
