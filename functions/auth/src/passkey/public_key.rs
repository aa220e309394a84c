//! The public key of a passkey, a COSE key ([RFC 9052](https://www.rfc-editor.org/rfc/rfc9052#section-7)).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value;
use serde::{Deserialize, Serialize};

use super::cbor;

/// The algorithms that a key may have, the most wanted first: EdDSA, ES256 and RS256
/// ([COSE](https://www.iana.org/assignments/cose/cose.xhtml#algorithms)).
pub const ALGORITHMS: [i64; 3] = [EDDSA, ES256, RS256];
const EDDSA: i64 = -8;
const ES256: i64 = -7;
const RS256: i64 = -257;

/// The labels of a COSE key.
const TYPE: i64 = 1;
const ALGORITHM: i64 = 3;
const CURVE: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const MODULUS: i64 = -1;
const EXPONENT: i64 = -2;

/// The bytes of a modulus: 2,048 to 4,096 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// A public key that was checked: its algorithm is one of [`ALGORITHMS`], and its point is on its curve. In base 64, as the
/// authenticator wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey(String);

impl PublicKey {
    /// The key at the beginning of these bytes, and the bytes after it.
    pub(super) fn first(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (value, rest) = cbor::first(bytes)?;
        parsed(&value)?;
        let cose = &bytes[..bytes.len() - rest.len()];
        Some((Self(BASE64_URL_SAFE_NO_PAD.encode(cose)), rest))
    }

    /// The algorithm.
    pub(super) fn algorithm(&self) -> Option<i64> {
        label(&self.value()?, ALGORITHM)?.as_integer()?.try_into().ok()
    }

    /// Whether the holder of the private key has signed this message.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.value().as_ref().and_then(parsed);
        key.is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }

    fn value(&self) -> Option<Value> {
        cbor::only(&BASE64_URL_SAFE_NO_PAD.decode(&self.0).ok()?)
    }
}

fn label(key: &Value, label: i64) -> Option<&Value> {
    cbor::at(key, label)
}

/// The key, if it is of an algorithm that we take, and its numbers are those of one.
fn parsed(key: &Value) -> Option<ParsedPublicKey> {
    let number = |of: i64| -> Option<i64> { label(key, of)?.as_integer()?.try_into().ok() };
    let bytes = |of: i64| label(key, of)?.as_bytes();
    let coordinate = |of: i64| bytes(of).filter(|bytes| bytes.len() == 32);
    match (number(TYPE)?, number(ALGORITHM)?) {
        (1, EDDSA) if number(CURVE)? == 6 => ParsedPublicKey::new(&ED25519, coordinate(X)?).ok(),
        (2, ES256) if number(CURVE)? == 1 => {
            let point = [&[4][..], coordinate(X)?, coordinate(Y)?].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok()
        }
        (3, RS256) => {
            let n = bytes(MODULUS).filter(|n| MODULUS_BYTES.contains(&n.len()))?;
            let components = RsaPublicKeyComponents { n, e: bytes(EXPONENT)? };
            components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()
        }
        _ => None,
    }
}
