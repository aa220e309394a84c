//! What a browser takes and gives as JSON: the dictionaries of [WebAuthn Level 3,
//! 5.1](https://www.w3.org/TR/webauthn-3/#sctn-parseCreationOptionsFromJSON), in its own spelling, so that a page passes them on
//! as they are. Members that we do not need are ignored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use shared::http::contract;
use shared::id::UserId;
use utoipa::ToSchema;

use super::ceremony::RelyingParty;
use super::challenge::LIFETIME;
use super::public_key::ALGORITHMS;

/// Bytes, in base 64 for URLs without padding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Octets(pub Vec<u8>);

contract::text!(
    Octets,
    "^[A-Za-z0-9_-]*$",
    "o2NmbXRkbm9uZQ",
    "Bytes, in base 64 for URLs without padding."
);

/// The text is not in base 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected base 64 for URLs without padding")]
pub struct InvalidOctets;

impl TryFrom<String> for Octets {
    type Error = InvalidOctets;

    fn try_from(text: String) -> Result<Self, InvalidOctets> {
        BASE64_URL_SAFE_NO_PAD.decode(text).map(Self).map_err(|_| InvalidOctets)
    }
}

/// What an authenticator calls a passkey: 1 to 1,023 bytes, in base 64 for URLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CredentialId(String);

contract::text!(
    CredentialId,
    "^[A-Za-z0-9_-]{2,1364}$",
    "dGhlIGlkIG9mIGEgcGFzc2tleQ",
    "What the authenticator calls the passkey: 1 to 1,023 bytes, in base 64 for URLs without padding."
);

impl CredentialId {
    /// The id of these bytes ([WebAuthn Level 3, 7.1](https://www.w3.org/TR/webauthn-3/#sctn-registering-a-new-credential): at
    /// most 1,023).
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let is_id = (1..=1_023).contains(&bytes.len());
        is_id.then(|| Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The hash by which the table finds the passkey.
    #[must_use]
    pub fn hash(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, self.0.as_bytes()))
    }
}

/// The text is the id of no passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 1,023 bytes, in base 64 for URLs without padding")]
pub struct InvalidCredentialId;

impl TryFrom<String> for CredentialId {
    type Error = InvalidCredentialId;

    fn try_from(text: String) -> Result<Self, InvalidCredentialId> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCredentialId)?;
        Self::of(&bytes).ok_or(InvalidCredentialId)
    }
}

/// The only kind of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = PasskeyCredentialType)]
pub enum CredentialType {
    /// A pair of keys.
    PublicKey,
}

/// What `navigator.credentials.create` gives, by `toJSON`. Further members are ignored.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = NewPasskeyCredential)]
pub struct NewCredential {
    /// What the authenticator calls the passkey.
    pub id: CredentialId,
    /// The kind.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// What the authenticator gives.
    pub response: Attestation,
}

/// A new passkey, as its authenticator tells of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = PasskeyAttestation)]
pub struct Attestation {
    /// What the browser says of the request.
    #[serde(rename = "clientDataJSON")]
    pub client_data: Octets,
    /// The passkey's id and public key.
    #[serde(rename = "attestationObject")]
    pub attestation_object: Octets,
}

/// What `navigator.credentials.get` gives, by `toJSON`. Further members are ignored.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = PasskeyCredential)]
pub struct UsedCredential {
    /// What the authenticator calls the passkey.
    pub id: CredentialId,
    /// The kind.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// What the authenticator gives.
    pub response: Assertion,
}

/// A signature with a passkey.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyAssertion)]
pub struct Assertion {
    /// What the browser says of the request.
    #[serde(rename = "clientDataJSON")]
    pub client_data: Octets,
    /// What the authenticator says of the signature.
    pub authenticator_data: Octets,
    /// The signature of both.
    pub signature: Octets,
    /// The user whose passkey it is, as we have called the user when it was made.
    pub user_handle: Octets,
}

/// What `PublicKeyCredential.parseCreationOptionsFromJSON` takes, for `navigator.credentials.create`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyCreationOptions)]
pub struct CreationOptions {
    rp: Party,
    user: UserEntity,
    /// What the authenticator signs, in base 64 for URLs.
    challenge: String,
    /// The algorithms that we take, the most wanted first.
    pub_key_cred_params: Vec<Parameters>,
    /// For how long the browser may ask, in milliseconds.
    #[schema(minimum = 0)]
    timeout: u64,
    /// The user's passkeys: an authenticator that has one makes no other.
    exclude_credentials: Vec<Descriptor>,
    authenticator_selection: Selection,
    /// `none`: nobody asks for the model of the authenticator.
    attestation: &'static str,
}

/// Where the passkey is good.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PasskeyRelyingParty)]
struct Party {
    /// The host of the API's URL.
    id: String,
    /// What authenticators show.
    name: String,
}

/// Whose passkey it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyUser)]
struct UserEntity {
    /// The user's id as bytes, in base 64 for URLs.
    id: String,
    /// What authenticators show: the user's address.
    name: String,
    /// The same.
    display_name: String,
}

/// An algorithm.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PasskeyParameters)]
struct Parameters {
    #[serde(rename = "type")]
    kind: CredentialType,
    /// Its number (COSE).
    alg: i64,
}

/// A passkey.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PasskeyDescriptor)]
struct Descriptor {
    #[serde(rename = "type")]
    kind: CredentialType,
    id: CredentialId,
}

/// What the authenticator must be able to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyAuthenticatorSelection)]
struct Selection {
    /// `required`: it finds the passkey without being told the user.
    resident_key: &'static str,
    /// The same, for older browsers.
    require_resident_key: bool,
    /// `required`: it makes sure who the user is.
    user_verification: &'static str,
}

impl CreationOptions {
    /// The options for a new passkey of this user, who has these already.
    pub fn new(
        party: &RelyingParty,
        (user, email): (UserId, &str),
        challenge: String,
        known: impl Iterator<Item = CredentialId>,
    ) -> Self {
        let kind = CredentialType::PublicKey;
        let email = email.to_owned();
        Self {
            rp: Party { id: party.id().to_owned(), name: party.id().to_owned() },
            user: UserEntity {
                id: BASE64_URL_SAFE_NO_PAD.encode(user.to_bytes()),
                name: email.clone(),
                display_name: email,
            },
            challenge,
            pub_key_cred_params: ALGORITHMS.map(|alg| Parameters { kind, alg }).into(),
            timeout: milliseconds(),
            exclude_credentials: known.map(|id| Descriptor { kind, id }).collect(),
            authenticator_selection: Selection {
                resident_key: "required",
                require_resident_key: true,
                user_verification: "required",
            },
            attestation: "none",
        }
    }
}

/// What `PublicKeyCredential.parseRequestOptionsFromJSON` takes, for `navigator.credentials.get`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyRequestOptions)]
pub struct RequestOptions {
    /// What the authenticator signs, in base 64 for URLs.
    challenge: String,
    /// For how long the browser may ask, in milliseconds.
    #[schema(minimum = 0)]
    timeout: u64,
    /// Where the passkey is good: the host of the API's URL.
    rp_id: String,
    /// `required`: the authenticator makes sure who the user is.
    user_verification: &'static str,
}

impl RequestOptions {
    /// The options for a signature of this challenge. The authenticator finds the passkey.
    #[must_use]
    pub fn new(party: &RelyingParty, challenge: String) -> Self {
        let rp_id = party.id().to_owned();
        Self { challenge, timeout: milliseconds(), rp_id, user_verification: "required" }
    }
}

/// How long a challenge is good, in milliseconds.
fn milliseconds() -> u64 {
    LIFETIME.as_secs() * 1_000
}
