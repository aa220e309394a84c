//! E-mail addresses.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::unicode::{is_form_of_ascii, is_mark, is_visible, nfc};

/// The maximum length of an address: RFC 5321, section 4.5.3.1.3, without the brackets around it. In bytes of
/// UTF-8 (RFC 6531, section 3.3).
const MAX_BYTES: usize = 254;
/// The maximum length of the part before the `@`, in bytes: RFC 5321, section 4.5.3.1.1.
const MAX_NAME_BYTES: usize = 64;
/// No spelling of an address is longer. It bounds the work for a text that is none.
pub(crate) const MAX_SPELLING_BYTES: usize = 4_096;
/// What RFC 5322, section 3.2.3, allows in an atom besides letters and digits.
const SIGNS: &str = "!#$%&'*+-/=?^_`{|}~";

/// A syntactically valid address in its one spelling. It may not exist.
///
/// **Guarantees.** The spellings of an address are equal: in any letter case, in any Unicode form, and with a domain
/// in Unicode or in ASCII (`xn--…`). Parsing the text of an address gives the same address. The text has no invisible
/// character, and no other form of an ASCII character, such as the fullwidth `＠`.
///
/// - The part before the `@` is a dot-atom (RFC 5321; RFC 6531 for other letters than ASCII), in NFC and in lower case.
///   RFC 5321 allows a case-sensitive part, but no major provider uses that, and users type both. A quoted part
///   (`"ada lovelace"@example.org`) is refused: no major provider gives one, and it has several spellings.
/// - The domain is in ASCII, by UTS 46 without transitional processing, and with the rules of STD 3. It has a dot,
///   and is no IP address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(format = IdnEmail, max_length = 254, example = "ada@example.org")]
pub struct Email(String);

/// The text is not a valid address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an e-mail address is name@domain.tld, without spaces, quotes and invisible characters, of at most 254 bytes"
)]
pub struct InvalidEmail;

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > MAX_SPELLING_BYTES {
            return Err(InvalidEmail);
        }
        let (name, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let text = format!("{}@{}", parsed_name(name)?, parsed_domain(domain)?);
        if text.len() <= MAX_BYTES { Ok(Self(text)) } else { Err(InvalidEmail) }
    }
}

impl Email {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of the address, to count by an address that is not to be kept.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        hash
    }

    /// The words that a person may take from the address for a password: the name, its parts, and the labels of the
    /// domain, in ASCII and in Unicode.
    pub(crate) fn words(&self) -> Vec<String> {
        let (name, domain) = self.0.rsplit_once('@').unwrap_or_default();
        let (unicode, _) = idna::domain_to_unicode(domain);
        let parts = name.split(|c: char| !c.is_alphanumeric());
        let words = parts.chain([name]).chain(domain.split('.')).chain(unicode.split('.'));
        words.map(str::to_owned).collect()
    }
}

fn parsed_name(text: &str) -> Result<String, InvalidEmail> {
    let name = nfc(&nfc(text).to_lowercase());
    let is_valid = name.len() <= MAX_NAME_BYTES && name.split('.').all(is_atom);
    if is_valid { Ok(name) } else { Err(InvalidEmail) }
}

fn is_atom(text: &str) -> bool {
    let allowed = |c: char| match c {
        _ if c.is_ascii() => c.is_ascii_alphanumeric() || SIGNS.contains(c),
        _ => is_visible(c) && !is_form_of_ascii(c),
    };
    !text.is_empty() && !text.starts_with(is_mark) && text.chars().all(allowed)
}

fn parsed_domain(text: &str) -> Result<String, InvalidEmail> {
    // UTS 46 leaves some invisible characters out, and checks the places of joiners.
    let is_joiner = |c| matches!(c, '\u{200c}' | '\u{200d}');
    if !text.chars().all(|c| is_visible(c) || is_joiner(c)) {
        return Err(InvalidEmail);
    }
    let (rules, hyphens) = (AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    let domain = Uts46::new().to_ascii(text.as_bytes(), rules, hyphens, DnsLength::Verify);
    let domain = domain.map_err(|_| InvalidEmail)?;
    let (_, last) = domain.rsplit_once('.').ok_or(InvalidEmail)?;
    // A domain whose last label is a number is an IP address.
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Err(InvalidEmail) } else { Ok(domain.into_owned()) }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
