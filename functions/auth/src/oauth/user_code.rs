//! The short code that a device shows, and that the user types on a phone.
//!
//! **Guarantees.** A code has 8 of 20 letters, each as likely as any other: 25,600,000,000 codes. There is no vowel among them,
//! so no word forms, and no digit, so none is mistaken for a letter
//! ([RFC 8628, 6.1](https://www.rfc-editor.org/rfc/rfc8628#section-6.1)). It is never printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use shared::Result;

const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// The length without the hyphen.
const LENGTH: usize = 8;
/// The letters before the hyphen, and after it.
const GROUP: usize = 4;
/// The random bytes below this number: a multiple of 20, so that each letter is as likely as any other.
const FAIR: u8 = 240;

/// A code, in upper case and without the hyphen.
#[derive(Clone)]
pub struct UserCode(SecretString);

impl UserCode {
    /// A new code.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate() -> Result<Self> {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let mut bytes = [0; LENGTH];
            aws_lc_rs::rand::fill(&mut bytes)?;
            let fair = bytes.iter().filter(|byte| **byte < FAIR);
            let letters = fair.map(|byte| char::from(ALPHABET[usize::from(byte % 20)]));
            code.extend(letters.take(LENGTH - code.len()));
        }
        Ok(Self(code.into()))
    }

    /// The code that somebody typed, in any letter case, with or without hyphens and spaces.
    #[must_use]
    pub fn read(typed: &str) -> Option<Self> {
        let mut code = String::with_capacity(LENGTH);
        for c in typed.chars().filter(|c| !matches!(c, ' ' | '-')) {
            let letter = c.to_ascii_uppercase();
            let is_known = ALPHABET.iter().any(|known| char::from(*known) == letter);
            if !is_known || code.len() == LENGTH {
                return None;
            }
            code.push(letter);
        }
        (code.len() == LENGTH).then(|| Self(code.into()))
    }

    /// The code as the table knows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The code for a person, such as `WDJB-MJHT`.
    #[must_use]
    pub fn shown(&self) -> String {
        let (first, second) = self.expose().split_at(GROUP);
        format!("{first}-{second}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in ["WDJB-MJHT", "wdjbmjht", " wDjB mJhT ", "w-d-j-b-m-j-h-t", "WDJB - MJHT"] {
            assert_eq!(UserCode::read(typed).unwrap().shown(), "WDJB-MJHT", "{typed}");
        }
        for typed in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTT",
            "WDJB-MJHA",
            "WDJB-MJH1",
            "WDJB_MJHT",
            "WDJB-MJH\u{17f}",
            "ＷDJBMJHT",
            "WDJB–MJHT",
            "WDJBMJHT\0",
            "WDJB\nMJHT",
        ] {
            assert!(UserCode::read(typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn each_letter_is_as_likely_as_any_other() {
        let mut seen = BTreeMap::new();
        for _ in 0..5_000 {
            for letter in UserCode::generate().unwrap().expose().chars() {
                *seen.entry(letter).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(seen.len(), 20);
        // 2,000 of each are expected. The bound is 9 standard deviations away.
        assert!(seen.values().all(|number| (1_600..2_400).contains(number)), "{seen:?}");
    }

    #[test]
    fn a_code_is_not_printed() {
        assert_eq!(format!("{:?}", UserCode::generate().unwrap()), "UserCode(…)");
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_is_a_code(typed in ".*") {
            if let Some(code) = UserCode::read(&typed) {
                prop_assert!(code.expose().bytes().all(|byte| ALPHABET.contains(&byte)));
            }
        }

        #[test]
        fn a_code_is_read_back(_: ()) {
            let code = UserCode::generate().unwrap();
            let again = UserCode::read(&code.shown().to_lowercase()).unwrap();
            prop_assert_eq!(again.expose(), code.expose());
        }
    }
}
