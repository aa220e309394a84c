//! Time-based one-time passwords: [RFC 6238](https://www.rfc-editor.org/rfc/rfc6238) with SHA-1, 6 digits and steps of
//! 30 s, which all authenticator apps know.
//!
//! SHA-1 is broken for signatures and not for HMAC (RFC 6194, section 3.3).

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use shared::Result;

use crate::email::Email;

/// The length of a code.
pub const DIGITS: usize = 6;
/// How long a code is the current one, in seconds.
pub const STEP: i64 = 30;
/// The length of a secret in bytes: RFC 4226, section 4, R6, recommends 160 bits.
const BYTES: usize = 20;
/// What an `otpauth` URI does not escape: RFC 3986, section 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secret that an authenticator app shares with us.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; BYTES]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new secret.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The secret of these bytes, if they are as many as a secret has.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Zeroizing::new).map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The secret for a person who types it into an app: base 32 (RFC 4648, section 6).
    #[must_use]
    pub fn text(&self) -> SecretString {
        BASE32_NOPAD.encode(self.bytes()).into()
    }

    /// The secret as apps read it from a QR code: a [key URI](https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
    #[must_use]
    pub fn uri(&self, issuer: &str, email: &Email) -> SecretString {
        let [issuer, account] =
            [issuer, email.as_str()].map(|text| utf8_percent_encode(text, ESCAPED).to_string());
        let secret = Zeroizing::new(BASE32_NOPAD.encode(self.bytes()));
        format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP}",
            *secret
        )
        .into()
    }

    /// The code of a step.
    #[must_use]
    pub fn code(&self, step: i64) -> Zeroizing<String> {
        Zeroizing::new(format!("{:0DIGITS$}", self.number(step) % 1_000_000))
    }

    /// The step of `code` at `now`, if the code is right and its step is later than `last`: the current step, the one before
    /// or the one after. Each comparison takes constant time, and all are made.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp, last: i64) -> Option<i64> {
        let current = step_at(now);
        let is_right = |step: &i64| {
            verify_slices_are_equal(self.code(*step).as_bytes(), code.as_bytes()).is_ok()
        };
        let right: Vec<_> = (current - 1..=current + 1).filter(is_right).collect();
        right.into_iter().find(|step| *step > last)
    }

    /// The number of a step: RFC 4226, section 5.3.
    fn number(&self, step: i64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.bytes());
        let mac = hmac::sign(&key, &step.to_be_bytes());
        let mac = mac.as_ref();
        let offset = usize::from(mac[mac.len() - 1] & 0xf);
        let word = mac[offset..].first_chunk().copied().unwrap_or_default();
        u32::from_be_bytes(word) & 0x7fff_ffff
    }
}

/// The step at a time, counted from 1970.
#[must_use]
pub fn step_at(at: Timestamp) -> i64 {
    at.as_second().div_euclid(STEP)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn secret() -> Secret {
        Secret::of(b"12345678901234567890").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// RFC 6238, appendix B, whose codes have eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (second, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let step = step_at(at(second));
            assert_eq!(secret().number(step) % 100_000_000, code, "{second}");
            assert_eq!(*secret().code(step), format!("{:06}", code % 1_000_000));
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn codes_of_six_digits_are_those_of_the_rfc() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (step, code) in (0..).zip(codes) {
            assert_eq!(*secret().code(step), code);
        }
    }

    #[test]
    fn a_code_is_right_in_its_step_and_in_the_ones_beside_it() {
        let code = secret().code(1_000);
        for (second, expected) in [
            (29_969, None),
            (29_970, Some(1_000)),
            (30_000, Some(1_000)),
            (30_029, Some(1_000)),
            (30_059, Some(1_000)),
            (30_060, None),
        ] {
            assert_eq!(secret().step_of(&code, at(second), 0), expected, "{second}");
        }
    }

    #[test]
    fn a_code_is_right_after_the_last_step_only() {
        for (last, expected) in
            [(998, Some(1_000)), (999, Some(1_000)), (1_000, None), (1_001, None)]
        {
            assert_eq!(
                secret().step_of(&secret().code(1_000), at(30_000), last),
                expected,
                "{last}"
            );
        }
    }

    #[test]
    fn the_uri_is_escaped() {
        let email = String::from("ada+a&b=c#d@example.org").try_into().unwrap();
        let uri = secret().uri("my shop/1", &email);
        let expected = "otpauth://totp/my%20shop%2F1:ada%2Ba%26b%3Dc%23d%40example.org\
            ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=my%20shop%2F1&algorithm=SHA1&digits=6&period=30";
        assert_eq!(uri.expose_secret(), expected);
        assert_eq!(secret().text().expose_secret().len(), 32);
    }

    proptest! {
        #[test]
        fn any_other_code_is_refused(step in 1_i64..1 << 40, code in "[0-9]{0,8}|.*") {
            let secret = Secret::generate().unwrap();
            let right = [step - 1, step, step + 1].map(|step| secret.code(step).to_string());
            let found = secret.step_of(&code, at((step * STEP).min(200_000_000_000)), 0);
            prop_assert!(found.is_none() || step * STEP > 200_000_000_000 || right.contains(&code));
        }
    }
}
