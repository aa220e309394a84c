//! Texts that only we can make: a few bytes with a MAC, as a refresh token is. Nothing of them is stored.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use shared::Result;

/// A key that makes texts of one kind.
#[derive(Clone)]
pub(crate) struct MacKey {
    key: hmac::Key,
    /// The beginning of each text, so that people and scanners of source code can tell what it is.
    prefix: &'static str,
}

impl MacKey {
    /// The key of these random bytes, for texts that begin with `prefix`.
    pub(crate) fn new(bytes: &[u8], prefix: &'static str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, bytes), prefix }
    }

    /// The bytes as text.
    pub(crate) fn write(&self, content: &[u8]) -> SecretString {
        let bytes = [content, hmac::sign(&self.key, content).as_ref()].concat();
        format!("{}{}", self.prefix, BASE64_URL_SAFE_NO_PAD.encode(bytes)).into()
    }

    /// The bytes, if this key made the text. The comparison takes constant time.
    pub(crate) fn read<const LENGTH: usize>(&self, text: &str) -> Option<[u8; LENGTH]> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.strip_prefix(self.prefix)?).ok()?;
        let (content, mac) = bytes.split_first_chunk()?;
        hmac::verify(&self.key, content, mac).ok()?;
        Some(*content)
    }
}

/// The key for `purpose` that follows from other random bytes (RFC 5869). Nobody can compute one from the other, so a text
/// that one key has made is refused by the other.
pub(crate) fn derived(bytes: &[u8], purpose: &str) -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let prk = Salt::none(HKDF_SHA256).extract(bytes);
    prk.expand(&[purpose.as_bytes()], HKDF_SHA256)?.fill(key.as_mut_slice())?;
    Ok(key)
}
