//! The codes that users type.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::Result;
use shared::http::contract;

use super::totp::DIGITS;

/// How many recovery codes a user gets.
pub const RECOVERY_CODES: usize = 10;
/// Crockford's base 32: no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The length of a recovery code without separators: 60 random bits.
const LENGTH: usize = 12;
/// The characters of a group, for reading.
const GROUP: usize = 4;

/// A code of the authenticator app, or a recovery code, in any letter case, with or without spaces and hyphens.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "SecretString")]
pub enum Code {
    /// Six digits.
    Totp(SecretString),
    /// A recovery code.
    Recovery(RecoveryCode),
}

contract::text!(
    Code,
    "^[ -]*(([0-9][ -]*){6}|([0-9A-TV-Za-tv-z][ -]*){12})$",
    "492039",
    "A code of the authenticator app, or a recovery code, in any letter case, with or without spaces and hyphens."
);

/// The text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has 6 digits, and a recovery code 12 letters and digits")]
pub struct InvalidCode;

impl TryFrom<SecretString> for Code {
    type Error = InvalidCode;

    fn try_from(text: SecretString) -> Result<Self, InvalidCode> {
        let text = text.expose_secret();
        let typed: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if typed.len() == DIGITS && typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::Totp(typed.into()));
        }
        RecoveryCode::read(&typed).map(Self::Recovery).ok_or(InvalidCode)
    }
}

/// A recovery code, in upper case and without separators.
#[derive(Clone, Debug)]
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    /// A new code.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; LENGTH];
        aws_lc_rs::rand::fill(&mut bytes)?;
        // 256 is a multiple of 32, so each character is as likely as any other.
        let code: String = bytes.iter().map(|byte| char::from(symbol(byte % 32))).collect();
        Ok(Self(code.into()))
    }

    /// The code for a person, in groups.
    #[must_use]
    pub fn shown(&self) -> SecretString {
        let code = self.expose();
        let groups = (0..LENGTH).step_by(GROUP).map(|from| &code[from..from + GROUP]);
        groups.collect::<Vec<_>>().join("-").into()
    }

    /// The code without separators.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The code that somebody typed, without separators. Letters that look like digits are these digits.
    fn read(typed: &str) -> Option<Self> {
        let read = |c: char| match c.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            c => ALPHABET.iter().any(|symbol| char::from(*symbol) == c).then_some(c),
        };
        let code: String = typed.chars().map(read).collect::<Option<_>>()?;
        (code.len() == LENGTH).then(|| Self(code.into()))
    }
}

fn symbol(number: u8) -> u8 {
    ALPHABET[usize::from(number)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        Some(match Code::try_from(SecretString::from(text)).ok()? {
            Code::Totp(code) => code.expose_secret().to_owned(),
            Code::Recovery(code) => code.expose().to_owned(),
        })
    }

    #[test]
    fn a_recovery_code_is_read_as_people_type_it() {
        for text in ["0VQ1-8KMD-ZZ20", " 0vq1 8kmd zz20 ", "oVqI8KMDzz2O", "0-V-Q-L-8KMD--ZZ20"] {
            assert_eq!(read(text).as_deref(), Some("0VQ18KMDZZ20"), "{text}");
        }
        for text in ["492039", "492 039", "-492-039-"] {
            assert_eq!(read(text).as_deref(), Some("492039"), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_code_is_refused() {
        let long = "0".repeat(13);
        for text in [
            "",
            " ",
            "49203",
            "4920390",
            "٤٩٢٠٣٩",
            "４９２０３９",
            "0VQ1-8KMD-ZZ2U",
            "49203a",
            "0VQ1_8KMD_ZZ20",
            "0VQ1\t8KMD\tZZ20",
            "0VQ1-8KMD-ZZ2é",
            &long,
            "\u{0}",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn recovery_codes_are_shown_in_groups_and_are_all_different() {
        let codes: Vec<_> = (0..1_000).map(|_| RecoveryCode::generate().unwrap()).collect();
        let shown: BTreeSet<_> =
            codes.iter().map(|it| it.shown().expose_secret().to_owned()).collect();
        assert_eq!(shown.len(), 1_000);
        for (code, text) in codes.iter().map(|code| (code, code.shown())) {
            let text = text.expose_secret();
            assert_eq!((text.len(), text.matches('-').count()), (14, 2));
            assert_eq!(read(text).as_deref(), Some(code.expose()));
            assert!(!text.contains(['I', 'L', 'O', 'U']), "{text}");
        }
        let used: BTreeSet<char> = shown.iter().flat_map(|text| text.chars()).collect();
        assert_eq!(used.len(), 33, "the whole alphabet, and the hyphen");
    }

    #[test]
    fn a_code_is_not_printed() {
        for text in ["492039", "0VQ18KMDZZ20"] {
            let code = Code::try_from(SecretString::from(text)).unwrap();
            assert!(!format!("{code:?}").contains(text));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_a_code(text in "[ -]{0,3}[0-9A-Za-z -]{0,20}") {
            let code = read(&text);
            prop_assert!(code.is_none_or(|code| [6, 12].contains(&code.len())));
        }
    }
}
