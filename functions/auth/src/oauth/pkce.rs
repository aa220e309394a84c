//! Proof Key for Code Exchange ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)), which OAuth 2.1 requires of every
//! application. Only the method `S256` is taken.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The only method: SHA-256.
pub const METHOD: &str = "S256";
/// The length of a verifier, in characters.
const VERIFIER: std::ops::RangeInclusive<usize> = 43..=128;

/// The hash of a verifier that only the application knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge(String);

impl Challenge {
    /// The challenge, if the text is a hash.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == SHA256.output_len()).then(|| Self(text.to_owned()))
    }

    /// Whether it is the hash of this verifier. The comparison takes constant time.
    #[must_use]
    pub fn is_of(&self, verifier: &str) -> bool {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let hash = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        VERIFIER.contains(&verifier.len())
            && verifier.bytes().all(is_unreserved)
            && verify_slices_are_equal(hash.as_bytes(), self.0.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    const EXAMPLE: (&str, &str) = (
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );

    #[test]
    fn the_example_of_the_standard_holds() {
        let (verifier, challenge) = EXAMPLE;
        let challenge = Challenge::read(challenge).unwrap();
        assert!(challenge.is_of(verifier));
        for other in ["", &verifier[1..], &verifier.to_lowercase(), &format!("{verifier}A")] {
            assert!(!challenge.is_of(other), "{other}");
        }
    }

    #[test]
    fn a_verifier_that_can_be_guessed_or_read_in_two_ways_is_refused() {
        let of = |verifier: &str| {
            let hash = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
            Challenge::read(&hash).unwrap().is_of(verifier)
        };
        assert!(of(&"a".repeat(43)) && of(&"~".repeat(128)));
        for verifier in ["a".repeat(42), "a".repeat(129), "a ".repeat(30), "é".repeat(40)] {
            assert!(!of(&verifier), "{verifier}");
        }
    }

    #[test]
    fn a_text_that_is_no_hash_is_refused() {
        let (_, challenge) = EXAMPLE;
        let (short, padded) = (&challenge[..42], format!("{challenge}="));
        for text in ["", "plain", short, &padded, &challenge.replace('-', "+")] {
            assert_eq!(Challenge::read(text), None, "{text}");
        }
    }
}
