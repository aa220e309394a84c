//! Whose things a request may touch.
//!
//! A scope says what a user may do ([`scopes`](crate::scopes)). This says to which things: those of the user, in the tenant
//! that the user acts for.
//!
//! **Guarantees.** Nothing of one tenant is seen or changed by a request for another tenant, also not by the same user: who
//! leaves a tenant leaves its things there. A thing that the request may not touch is answered as one that does not exist.

use crate::http::SignedIn;
use crate::id::{TenantId, UserId};

/// A thing with an owner, in a tenant.
pub trait Owned {
    /// The user who made it.
    fn owner(&self) -> UserId;
    /// The tenant that the owner acted for.
    fn tenant(&self) -> TenantId;
}

impl SignedIn {
    /// Whether the thing is the user's own, in the tenant that the user acts for.
    #[must_use]
    pub fn owns(&self, thing: &impl Owned) -> bool {
        thing.owner() == self.user && thing.tenant() == self.tenant
    }

    /// Whether the thing is the user's own, or the user has `scope`, which is for the things of everybody.
    #[must_use]
    pub fn reaches(&self, thing: &impl Owned, scope: &str) -> bool {
        self.owns(thing) || self.has(scope)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::clock::Clock;
    use crate::id::Ids;

    struct Thing(UserId, TenantId);

    impl Owned for Thing {
        fn owner(&self) -> UserId {
            self.0
        }

        fn tenant(&self) -> TenantId {
            self.1
        }
    }

    #[test]
    fn a_thing_belongs_to_one_user_in_one_tenant() {
        let ids = Ids::random(Clock::System);
        let (ada, eve, here, there) = (ids.next(), ids.next(), ids.next(), ids.next());
        let user = |scope: &str| SignedIn {
            user: ada,
            tenant: here,
            scope: scope.into(),
            expires_at: Timestamp::MAX,
            session: None,
            application: None,
        };
        for (thing, is_own) in
            [(Thing(ada, here), true), (Thing(ada, there), false), (Thing(eve, here), false)]
        {
            assert_eq!(user("admin").owns(&thing), is_own);
            assert_eq!(user("orders:read").reaches(&thing, "admin"), is_own);
            assert!(user("orders:read admin").reaches(&thing, "admin"));
        }
    }
}
