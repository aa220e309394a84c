//! The facts about invitations. They have no address.

use jiff::Timestamp;
use shared::audit::{Chain, Fact};

use super::member::name;
use crate::tenant::Invitation;

pub(super) fn told(kind: &str, at: Timestamp, invitation: &Invitation) -> (Chain, Fact) {
    let mut fact = super::told(kind, at, invitation.id().to_string());
    fact.details.insert("role".into(), name(invitation.role));
    fact.details.insert("by".into(), invitation.given.by.to_string());
    (Chain::Tenant(invitation.tenant), fact)
}
