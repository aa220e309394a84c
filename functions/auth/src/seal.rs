//! Bytes that only we can read: encrypted with AES-256-GCM, for one purpose and one owner.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use secrecy::zeroize::Zeroizing;
use shared::Result;

/// A key that encrypts.
pub(crate) struct SealKey(RandomizedNonceKey);

impl SealKey {
    /// The key of these random bytes.
    pub(crate) fn new(bytes: &[u8; 32]) -> Result<Self> {
        Ok(Self(RandomizedNonceKey::new(&AES_256_GCM, bytes)?))
    }

    /// The content for this owner: the nonce, the encrypted bytes and the tag.
    pub(crate) fn seal(&self, owner: &[u8], content: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = content.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(owner), &mut sealed)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Ok(bytes)
    }

    /// The content, if this key has sealed it for this owner.
    pub(crate) fn open(&self, owner: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk()?;
        let (nonce, mut rest) =
            (Nonce::assume_unique_for_key(*nonce), Zeroizing::new(rest.to_vec()));
        let length = self.0.open_in_place(nonce, Aad::from(owner), &mut rest).ok()?.len();
        rest.truncate(length);
        Some(rest)
    }
}
