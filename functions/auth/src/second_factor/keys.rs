//! What second factors are stored with.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use shared::id::UserId;
use shared::{Error, Result};

use super::{Code, RecoveryCode, Secret};
use crate::mac::derived;
use crate::seal::SealKey;
use crate::store::Totp;

/// The keys of what the table has of second factors.
pub struct FactorKeys {
    /// Encrypts secrets.
    secrets: SealKey,
    /// Hashes recovery codes.
    codes: hmac::Key,
}

/// What a right code proves, to be used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The step of a code of the app.
    Step(i64),
    /// The MAC of a recovery code.
    Recovery(String),
}

impl FactorKeys {
    /// The keys that follow from these random bytes.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let secrets = derived(bytes, "secret of a second factor")?;
        let codes = derived(bytes, "recovery code")?;
        Ok(Self {
            secrets: SealKey::new(&secrets)?,
            codes: hmac::Key::new(hmac::HMAC_SHA256, codes.as_slice()),
        })
    }

    /// The secret as the table has it: encrypted for this user.
    pub fn seal(&self, user: UserId, secret: &Secret) -> Result<String> {
        let sealed = self.secrets.seal(&user.to_bytes(), secret.bytes())?;
        Ok(BASE64_STANDARD_NO_PAD.encode(sealed))
    }

    /// The secret of this user.
    ///
    /// # Errors
    /// When these keys have not made it for this user.
    pub fn open(&self, user: UserId, sealed: &str) -> Result<Secret> {
        let unreadable = || Error::internal("the secret of a second factor cannot be read");
        let bytes = BASE64_STANDARD_NO_PAD.decode(sealed)?;
        let opened = self.secrets.open(&user.to_bytes(), &bytes).ok_or_else(unreadable)?;
        Secret::of(&opened).ok_or_else(unreadable)
    }

    /// The MAC of a recovery code of this user.
    #[must_use]
    pub fn hash(&self, user: UserId, code: &RecoveryCode) -> String {
        let content = Zeroizing::new([&user.to_bytes()[..], code.expose().as_bytes()].concat());
        BASE64_STANDARD_NO_PAD.encode(hmac::sign(&self.codes, &content))
    }

    /// What a code proves at `now`; `None` if it is wrong, or was used.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub fn proof(&self, totp: &Totp, code: &Code, now: Timestamp) -> Result<Option<Proof>> {
        Ok(match code {
            // Nobody has an app for it.
            Code::Totp(_) if !totp.has_app() => None,
            Code::Totp(code) => {
                let secret = self.open(totp.user, &totp.secret)?;
                secret.step_of(code.expose_secret(), now, totp.last_step).map(Proof::Step)
            }
            Code::Recovery(code) => {
                let hash = self.hash(totp.user, code);
                totp.codes.contains(&hash).then_some(Proof::Recovery(hash))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: [u8; 16] = [1; 16];
    const BOB: [u8; 16] = [2; 16];

    fn keys(byte: u8) -> FactorKeys {
        FactorKeys::new(&[byte; 32]).unwrap()
    }

    #[test]
    fn a_secret_is_read_by_its_key_for_its_user_only() {
        let secret = Secret::generate().unwrap();
        let [ada, bob] = [ADA, BOB].map(UserId::from_bytes);
        let sealed = keys(1).seal(ada, &secret).unwrap();
        assert_eq!(keys(1).open(ada, &sealed).unwrap().bytes(), secret.bytes());
        assert!(keys(1).open(bob, &sealed).is_err(), "it is moved to another user");
        assert!(keys(2).open(ada, &sealed).is_err());
        assert_ne!(keys(1).seal(ada, &secret).unwrap(), sealed, "the nonce is another one");
    }

    #[test]
    fn a_secret_that_is_altered_at_any_byte_is_an_error() {
        let ada = UserId::from_bytes(ADA);
        let sealed = keys(1).seal(ada, &Secret::generate().unwrap()).unwrap();
        let bytes = BASE64_STANDARD_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(keys(1).open(ada, &BASE64_STANDARD_NO_PAD.encode(altered)).is_err(), "{at}");
            assert!(keys(1).open(ada, &BASE64_STANDARD_NO_PAD.encode(&bytes[..at])).is_err());
        }
        assert!(keys(1).open(ada, "not base 64").is_err());
    }

    #[test]
    fn the_hash_of_a_recovery_code_is_of_one_user_and_one_key() {
        let code = RecoveryCode::generate().unwrap();
        let [ada, bob] = [ADA, BOB].map(UserId::from_bytes);
        let hash = keys(1).hash(ada, &code);
        assert_eq!(keys(1).hash(ada, &code), hash);
        assert_ne!(keys(1).hash(bob, &code), hash);
        assert_ne!(keys(2).hash(ada, &code), hash);
        assert!(!hash.contains(code.expose()));
    }
}
