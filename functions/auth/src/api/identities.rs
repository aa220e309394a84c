//! What the endpoints of identities share.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::{Identity, IdentityId, Subject};
use crate::provider::ProviderId;
use crate::session::Client;

/// An identity of the user at an outside provider, with which the user signs in.
#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
pub(super) struct ShownIdentity {
    id: IdentityId,
    provider: ProviderId,
    /// What the provider knows the user by.
    subject: String,
    /// When the identity was linked to the account.
    linked_at: Timestamp,
    /// The client that linked it.
    client: Client,
}

impl From<Identity> for ShownIdentity {
    fn from(identity: Identity) -> Self {
        let Identity { id, subject: Subject { provider, subject }, linked_at, client, .. } =
            identity;
        Self { id, provider, subject, linked_at, client }
    }
}
