//! The facts about members of tenants.

use jiff::Timestamp;
use shared::audit::{Chain, Fact};
use shared::scopes::TenantRole;

use crate::tenant::Member;

pub(super) fn told(kind: &str, at: Timestamp, member: &Member) -> (Chain, Fact) {
    (Chain::Tenant(member.tenant), super::told(kind, at, member.user.to_string()))
}

/// The fact that the member has its role.
pub(super) fn given(kind: &str, at: Timestamp, member: &Member) -> (Chain, Fact) {
    let (chain, mut fact) = told(kind, at, member);
    fact.details.insert("role".into(), name(member.role));
    fact.details.insert("by".into(), member.given.by.to_string());
    (chain, fact)
}

pub(super) fn changes(old: &Member, new: &Member, now: Timestamp) -> Vec<(Chain, Fact)> {
    let mut facts = Vec::new();
    let mut expected = old.clone();
    if new.given != old.given {
        facts.push(given("member.role_given", new.given.at, new));
        (expected.role, expected.given) = (new.role, new.given);
    }
    if *new != expected {
        facts.push(told("member.changed", now, old));
    }
    facts
}

/// The name of a role, as the API has it.
pub(super) fn name(role: TenantRole) -> String {
    let name = serde_json::to_value(role).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}
