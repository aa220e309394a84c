//! The data that an authenticator signs ([WebAuthn, 6.1](https://www.w3.org/TR/webauthn-2/#sctn-authenticator-data)).

use super::cbor;
use super::json::CredentialId;
use super::public_key::PublicKey;

/// The user was present.
const PRESENT: u8 = 1;
/// The authenticator has made sure who the user is.
const VERIFIED: u8 = 1 << 2;
/// The passkey may be copied to other devices.
const BACKUP_ELIGIBLE: u8 = 1 << 3;
/// There is such a copy.
const BACKED_UP: u8 = 1 << 4;
/// A new credential follows.
const HAS_CREDENTIAL: u8 = 1 << 6;
/// Extensions follow.
const HAS_EXTENSIONS: u8 = 1 << 7;
/// The length of an AAGUID, the model of an authenticator.
const MODEL: usize = 16;

/// What an authenticator has signed.
pub(super) struct AuthenticatorData {
    /// The SHA-256 of the RP ID.
    pub(super) rp_id_hash: [u8; 32],
    flags: u8,
    /// The number of the signature.
    pub(super) sign_count: u32,
    /// The new credential, if there is one.
    pub(super) credential: Option<(CredentialId, PublicKey)>,
}

impl AuthenticatorData {
    /// The data that these bytes are. Nothing may follow it.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_first_chunk()?;
        let ([flags], rest) = rest.split_first_chunk()?;
        let (counter, mut rest) = rest.split_first_chunk()?;
        let mut credential = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (id, key);
            (id, key, rest) = new_credential(rest)?;
            credential = Some((id, key));
        }
        if flags & HAS_EXTENSIONS != 0 {
            let (extensions, after) = cbor::first(rest)?;
            extensions.as_map()?;
            rest = after;
        }
        let (rp_id_hash, flags) = (*rp_id_hash, *flags);
        let sign_count = u32::from_be_bytes(*counter);
        rest.is_empty().then_some(Self { rp_id_hash, flags, sign_count, credential })
    }

    pub(super) fn is_user_present(&self) -> bool {
        self.flags & PRESENT != 0
    }

    pub(super) fn is_user_verified(&self) -> bool {
        self.flags & VERIFIED != 0
    }

    pub(super) fn is_backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    pub(super) fn is_backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

/// The credential at the beginning of these bytes, and the bytes after it.
fn new_credential(bytes: &[u8]) -> Option<(CredentialId, PublicKey, &[u8])> {
    let (_, rest) = bytes.split_at_checked(MODEL)?;
    let (length, rest) = rest.split_first_chunk()?;
    let (id, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    let (key, rest) = PublicKey::first(rest)?;
    Some((CredentialId::of(id)?, key, rest))
}
