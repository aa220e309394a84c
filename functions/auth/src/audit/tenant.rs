//! The facts about tenants that several users share.

use jiff::Timestamp;
use shared::audit::{Chain, Fact};

use crate::tenant::{Removal, Tenant};

pub(super) fn told(tenant: &Tenant, kind: &str, at: Timestamp) -> (Chain, Fact) {
    (Chain::Tenant(tenant.id), super::told(kind, at, tenant.id.to_string()))
}

pub(super) fn created(tenant: &Tenant) -> (Chain, Fact) {
    let (chain, mut fact) = told(tenant, "tenant.created", tenant.created_at);
    fact.details.insert("by".into(), tenant.created_by.to_string());
    (chain, fact)
}

/// The counts follow from the members, who have facts of their own.
pub(super) fn changes(old: &Tenant, new: &Tenant, now: Timestamp) -> Vec<(Chain, Fact)> {
    let mut facts = Vec::new();
    if let Some(Removal { user, by, at }) =
        new.removed.as_ref().filter(|_| new.removed != old.removed)
    {
        let mut fact = super::told("member.removed", *at, user.to_string());
        fact.details.insert("by".into(), by.to_string());
        facts.push((Chain::Tenant(new.id), fact));
    }
    let Tenant { members, owners, removed, .. } = new.clone();
    if *new != (Tenant { members, owners, removed, ..old.clone() }) {
        facts.push(told(old, "tenant.changed", now));
    }
    facts
}
