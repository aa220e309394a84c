//! Scopes: the permissions that the roles of a user give, for each system.
//!
//! A user has roles in the installation ([`Role`]), and one role in each tenant that the user acts for ([`TenantRole`]). Every
//! user owns a tenant of their own.
//!
//! **Guarantee.** The scopes of a token depend only on these roles and on [`TABLE`], at the time when the token is issued.
//! Users and members have roles and no scopes, so a new system changes none of them: it adds its scopes to [`TABLE`], and
//! tokens have them from the next sign-in or refresh.
//!
//! ```
//! use shared::scopes::{self, Role, TenantRole};
//!
//! let viewer = scopes::of(&[Role::Member], TenantRole::Viewer);
//! assert!(viewer.contains(&scopes::ORDERS_READ));
//! assert!(!viewer.contains(&scopes::ORDERS_WRITE) && !viewer.contains(&scopes::ADMIN));
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A role of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Every registered user has it.
    Member,
    /// A user who runs the installation. An operator gives it, by direct access to the users' table.
    Admin,
}

/// A role of a user in a tenant. A later one may do all that an earlier one may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TenantRole {
    /// Sees things, and changes nothing.
    Viewer,
    /// Works with things.
    Editor,
    /// Invites, changes and removes viewers, editors and managers too, and sees the audit log.
    Manager,
    /// Does everything, and makes other owners. A tenant has one at least.
    Owner,
}

/// Lets a user see and change the user's own account and sessions.
pub const ACCOUNT: &str = "account";
/// Lets a user run the installation: products, stock, others' orders, the ledger.
pub const ADMIN: &str = "admin";
/// Lets a user see the audit log of the user's tenant.
pub const AUDIT_READ: &str = "audit:read";
/// Lets a user see the user's own documents, and the tenant's settings.
pub const DOCUMENTS_READ: &str = "documents:read";
/// Lets a user add and delete documents, and change the tenant's settings.
pub const DOCUMENTS_WRITE: &str = "documents:write";
/// Lets a user see the catalogue, and the user's own cart and orders.
pub const ORDERS_READ: &str = "orders:read";
/// Lets a user order, pay and cancel.
pub const ORDERS_WRITE: &str = "orders:write";

/// A scope as a type, so that what an endpoint needs is written once: in the type of its handler's argument
/// [`Allowed`](crate::http::Allowed).
pub trait Scope {
    /// The scope.
    const NAME: &str;
}

macro_rules! types {
    ($($kind:ident = $name:ident),* $(,)?) => {$(
        #[doc = concat!("[`", stringify!($name), "`], as a type.")]
        #[derive(Debug)]
        pub struct $kind;

        impl Scope for $kind {
            const NAME: &str = $name;
        }
    )*};
}
types!(
    Account = ACCOUNT,
    Admin = ADMIN,
    AuditRead = AUDIT_READ,
    DocumentsRead = DOCUMENTS_READ,
    DocumentsWrite = DOCUMENTS_WRITE,
    OrdersRead = ORDERS_READ,
    OrdersWrite = ORDERS_WRITE,
);

/// A scope, and who has it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The scope.
    pub scope: &'static str,
    /// Who has it.
    pub held_by: Holder,
    /// What an application can do that gets it: a user reads this before the user allows it.
    pub allows: &'static str,
}

/// Who has a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Users with this role in the installation.
    User(Role),
    /// Users with [`Role::Member`] who act for a tenant in which they have this role, or a later one.
    InTenant(TenantRole),
}

/// Every scope.
pub const TABLE: &[Row] = &[
    row(ACCOUNT, Holder::User(Role::Member), "see and change your account, and end your sessions"),
    row(
        ADMIN,
        Holder::User(Role::Admin),
        "run this installation, with all that an administrator may do",
    ),
    row(AUDIT_READ, Holder::InTenant(TenantRole::Manager), "see the audit log"),
    row(DOCUMENTS_READ, Holder::InTenant(TenantRole::Viewer), "see your documents"),
    row(DOCUMENTS_WRITE, Holder::InTenant(TenantRole::Editor), "add and delete documents"),
    row(ORDERS_READ, Holder::InTenant(TenantRole::Viewer), "see your cart and your orders"),
    row(ORDERS_WRITE, Holder::InTenant(TenantRole::Editor), "order, pay and cancel for you"),
];

const fn row(scope: &'static str, held_by: Holder, allows: &'static str) -> Row {
    Row { scope, held_by, allows }
}

/// The scopes of a user with these roles, who has the role `in_tenant` where the user acts, in the order of the table.
#[must_use]
pub fn of(roles: &[Role], in_tenant: TenantRole) -> Vec<&'static str> {
    let has = |row: &&Row| match row.held_by {
        Holder::User(role) => roles.contains(&role),
        Holder::InTenant(least) => roles.contains(&Role::Member) && in_tenant >= least,
    };
    TABLE.iter().filter(has).map(|row| row.scope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_follow_from_roles() {
        use TenantRole::{Editor, Manager, Owner, Viewer};
        let viewer = [ACCOUNT, DOCUMENTS_READ, ORDERS_READ];
        assert_eq!(of(&[Role::Member], Viewer), viewer);
        let editor = [ACCOUNT, DOCUMENTS_READ, DOCUMENTS_WRITE, ORDERS_READ, ORDERS_WRITE];
        assert_eq!(of(&[Role::Member], Editor), editor);
        let all = [ACCOUNT, AUDIT_READ, DOCUMENTS_READ, DOCUMENTS_WRITE, ORDERS_READ, ORDERS_WRITE];
        assert_eq!(of(&[Role::Member], Manager), all);
        assert_eq!(of(&[Role::Member], Owner), all);
        assert_eq!(of(&[Role::Admin], Owner), [ADMIN]);
        assert_eq!(of(&[Role::Member, Role::Admin], Owner).len(), TABLE.len());
        assert!(of(&[], Owner).is_empty());
    }

    #[test]
    fn a_scope_is_in_the_table_once_and_is_valid_in_a_token() {
        for (index, Row { scope, allows, .. }) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|other| other.scope != *scope), "{scope}");
            assert!(!scope.is_empty() && !allows.is_empty(), "{scope}");
            // RFC 6749, section 3.3: scopes are separated by spaces.
            assert!(
                scope.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\".contains(&b)),
                "{scope}"
            );
        }
    }
}
