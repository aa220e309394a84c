//! What an answer of an authenticator must be. The comments name the steps of WebAuthn Level 2, sections
//! [7.1](https://www.w3.org/TR/webauthn-2/#sctn-registering-a-new-credential) and
//! [7.2](https://www.w3.org/TR/webauthn-2/#sctn-verifying-assertion). A browser does the steps before them; the table does those
//! after them, the counter among them ([`store`](crate::store)).

use aws_lc_rs::digest::{SHA256, digest};
use ciborium::Value;
use jiff::Timestamp;
use shared::id::UserId;
use shared::{Error, Result};
use url::Url;

use super::authenticator::AuthenticatorData;
use super::challenge::{Challenge, PasskeyKey};
use super::client_data::ClientData;
use super::json::{CredentialId, NewCredential, UsedCredential};
use super::public_key::PublicKey;
use super::{Passkey, cbor};

/// Where passkeys are good: the host and the origin of the API's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
}

impl RelyingParty {
    /// The party of the API with this URL.
    ///
    /// # Errors
    /// When it is no URL with a host.
    pub fn of(url: &str) -> Result<Self> {
        let url = Url::parse(url)?;
        let host = url.host_str().ok_or_else(|| Error::internal("PUBLIC_URL has no host"))?;
        Ok(Self { id: host.to_owned(), origin: url.origin().ascii_serialization() })
    }

    /// The RP ID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// What an answer is checked against.
pub struct Ceremony<'a> {
    /// Where passkeys are good.
    pub party: &'a RelyingParty,
    /// The key of challenges.
    pub key: &'a PasskeyKey,
    /// The time.
    pub now: Timestamp,
}

/// Why an answer of an authenticator is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The client data is no such JSON.
    #[error("the client data cannot be read")]
    ClientData,
    /// It is about the other kind of request.
    #[error("the client data is of another type")]
    Type,
    /// The challenge is not ours, has expired, was used, or is for something else.
    #[error("the challenge has expired, was used, or is for something else: begin again")]
    Challenge,
    /// The page is not ours.
    #[error("the page has another origin than this API")]
    Origin,
    /// The page is in a frame of somebody else.
    #[error("the page is in a frame of another origin")]
    Frame,
    /// The bytes are no such structure, or its public key is none of an algorithm that we take.
    #[error(
        "the data of the authenticator cannot be read, or its key is of none of the algorithms"
    )]
    Data,
    /// The passkey is for another host.
    #[error("the passkey is for another host")]
    Party,
    /// Nobody was there.
    #[error("the authenticator has not noticed the user")]
    Present,
    /// It could be anybody.
    #[error("the authenticator has not made sure who the user is")]
    Verified,
    /// The flags contradict each other, or what was said before.
    #[error("the flags of backups contradict each other")]
    Backup,
    /// The attestation is another one than we ask for.
    #[error("the attestation is neither none nor by the passkey itself")]
    Attestation,
    /// The id in the signed data is another one.
    #[error("the id of the passkey is another one")]
    Id,
    /// The user is no user of ours.
    #[error("there is no such user")]
    User,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
}

/// A passkey that an authenticator has made.
#[derive(Clone, Debug)]
pub struct Registered {
    pub(super) credential: CredentialId,
    pub(super) key: PublicKey,
    pub(super) sign_count: u32,
    pub(super) is_backup_eligible: bool,
    pub(super) is_backed_up: bool,
    /// The challenge that the answer is for.
    pub challenge: Challenge,
}

/// A signature, which [`Asserted::is_of`] checks.
#[derive(Clone, Debug)]
pub struct Asserted {
    /// The passkey.
    pub credential: CredentialId,
    /// The user whose passkey it is, as the authenticator says.
    pub user: UserId,
    /// The challenge that the answer is for.
    pub challenge: Challenge,
    /// The number of the signature.
    pub sign_count: u32,
    /// Whether the passkey has copies on other devices.
    pub is_backed_up: bool,
    is_backup_eligible: bool,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

fn require(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}

impl Ceremony<'_> {
    /// The passkey that an authenticator has made (section 7.1). Whether its challenge is for this user, and unused, and
    /// whether the passkey is new, is left to the caller.
    pub fn registered(&self, made: &NewCredential) -> Result<Registered, Refusal> {
        let answer = &made.response;
        // Steps 5 to 9, and 11.
        let challenge = self.client_data(&answer.client_data.0, "webauthn.create")?;
        let client_data_hash = digest(&SHA256, &answer.client_data.0);
        // Step 12.
        let object = cbor::only(&answer.attestation_object.0).ok_or(Refusal::Data)?;
        let member = |name: &str| cbor::at(&object, name);
        let bytes = member("authData").and_then(Value::as_bytes).ok_or(Refusal::Data)?;
        let data = AuthenticatorData::read(bytes).ok_or(Refusal::Data)?;
        // Steps 13 to 15.
        self.authenticator_data(&data)?;
        // Step 16: the key was read, so its algorithm is one of ours.
        let (credential, key) = data.credential.clone().ok_or(Refusal::Data)?;
        // Steps 18 and 19.
        let statement = member("attStmt").filter(|it| it.is_map()).ok_or(Refusal::Data)?;
        let signed = [&bytes[..], client_data_hash.as_ref()].concat();
        let is_attested = match member("fmt").and_then(Value::as_text) {
            Some("none") => statement.as_map().is_some_and(Vec::is_empty),
            Some("packed") => is_by_itself(statement, &key, &signed),
            _ => false,
        };
        require(is_attested, Refusal::Attestation)?;
        // The `id` beside the data is signed by nobody.
        require(made.id == credential, Refusal::Id)?;
        let (is_backup_eligible, is_backed_up) = (data.is_backup_eligible(), data.is_backed_up());
        let sign_count = data.sign_count;
        Ok(Registered { credential, key, sign_count, is_backup_eligible, is_backed_up, challenge })
    }

    /// The signature of an authenticator (section 7.2), up to the steps that need the passkey.
    pub fn asserted(&self, presented: &UsedCredential) -> Result<Asserted, Refusal> {
        let answer = &presented.response;
        // Step 6: the user is named by the bytes of the id.
        let user = answer.user_handle.0.as_slice().try_into().map_err(|_| Refusal::User)?;
        // Steps 9 to 13.
        let challenge = self.client_data(&answer.client_data.0, "webauthn.get")?;
        let data = AuthenticatorData::read(&answer.authenticator_data.0).ok_or(Refusal::Data)?;
        // Section 6.1: a signature has no new credential.
        require(data.credential.is_none(), Refusal::Data)?;
        // Steps 15 to 17.
        self.authenticator_data(&data)?;
        // Step 19.
        let hash = digest(&SHA256, &answer.client_data.0);
        Ok(Asserted {
            credential: presented.id.clone(),
            user: UserId::from_bytes(user),
            challenge,
            sign_count: data.sign_count,
            is_backed_up: data.is_backed_up(),
            is_backup_eligible: data.is_backup_eligible(),
            signed: [&answer.authenticator_data.0[..], hash.as_ref()].concat(),
            signature: answer.signature.0.clone(),
        })
    }

    /// Steps 5 to 9 of section 7.1, and 9 to 13 of section 7.2. Gives the challenge, which names its purpose.
    fn client_data(&self, bytes: &[u8], kind: &str) -> Result<Challenge, Refusal> {
        let said = ClientData::read(bytes).ok_or(Refusal::ClientData)?;
        require(said.kind == kind, Refusal::Type)?;
        let challenge = said.challenge().and_then(|text| self.key.read(&text, self.now));
        let challenge = challenge.ok_or(Refusal::Challenge)?;
        require(said.origin == self.party.origin, Refusal::Origin)?;
        // Level 3: our pages are in no frame.
        require(!said.cross_origin, Refusal::Frame)?;
        Ok(challenge)
    }

    /// Steps 13 to 15 of section 7.1, and 15 to 17 of section 7.2.
    fn authenticator_data(&self, data: &AuthenticatorData) -> Result<(), Refusal> {
        let expected = digest(&SHA256, self.party.id.as_bytes());
        require(data.rp_id_hash == expected.as_ref(), Refusal::Party)?;
        require(data.is_user_present(), Refusal::Present)?;
        require(data.is_user_verified(), Refusal::Verified)?;
        // Level 3: what has no copies cannot have one.
        require(data.is_backup_eligible() || !data.is_backed_up(), Refusal::Backup)
    }
}

impl Asserted {
    /// Checks that this passkey has made the signature (section 7.2, steps 6, 7 and 20).
    ///
    /// # Errors
    /// The step that does not hold.
    pub fn is_of(&self, passkey: &Passkey) -> Result<(), Refusal> {
        require(passkey.user == self.user, Refusal::User)?;
        require(passkey.credential == self.credential, Refusal::Id)?;
        require(passkey.key.has_signed(&self.signed, &self.signature), Refusal::Signature)?;
        // Level 3: whether there may be copies never changes.
        require(passkey.is_backup_eligible == self.is_backup_eligible, Refusal::Backup)
    }
}

/// Whether a statement is the signature of the new key itself
/// ([8.2](https://www.w3.org/TR/webauthn-2/#sctn-packed-attestation)), which some browsers leave when nobody asks for one.
fn is_by_itself(statement: &Value, key: &PublicKey, signed: &[u8]) -> bool {
    let number = |value: &Value| value.as_integer()?.try_into().ok();
    let algorithm = cbor::at(statement, "alg").and_then(number);
    let signature = cbor::at(statement, "sig").and_then(Value::as_bytes);
    cbor::at(statement, "x5c").is_none()
        && algorithm.is_some()
        && algorithm == key.algorithm()
        && signature.is_some_and(|signature| key.has_signed(signed, signature))
}
