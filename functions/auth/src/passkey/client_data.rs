//! What the browser says of a request to an authenticator
//! ([WebAuthn, 5.8.1](https://www.w3.org/TR/webauthn-2/#dictionary-client-data)).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The client data. A field twice is refused, and unknown ones are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientData {
    /// `webauthn.create` or `webauthn.get`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    challenge: String,
    /// The origin of the page.
    pub(super) origin: String,
    /// Whether the page was in a frame of another origin.
    #[serde(default)]
    pub(super) cross_origin: bool,
}

impl ClientData {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The text of the challenge.
    pub(super) fn challenge(&self) -> Option<String> {
        String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(&self.challenge).ok()?).ok()
    }
}
