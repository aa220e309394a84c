//! Scopes: the permissions that the roles of a user give, for each system.
//!
//! **Guarantee.** The scopes of a token depend only on the user's roles and on [`TABLE`], at the time when
//! the token is issued. Users have roles and no scopes, so a new system changes no user: it adds its scopes
//! to [`TABLE`], and tokens have them from the next sign-in.
//!
//! ```
//! use shared::scopes::{self, Role};
//!
//! assert!(scopes::of(&[Role::Member]).contains(&scopes::ORDERS_READ));
//! assert!(!scopes::of(&[Role::Member]).contains(&scopes::ADMIN));
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
    /// The roles that have it.
    pub roles: &'static [Role],
    /// What an application can do that gets it: a user reads this before the user allows it.
    pub allows: &'static str,
}

/// Every scope.
pub const TABLE: &[Row] = &[
    row(ACCOUNT, &[Role::Member], "see and change your account, and end your sessions"),
    row(ADMIN, &[Role::Admin], "run this installation, with all that an administrator may do"),
    row(AUDIT_READ, &[Role::Member], "see the audit log"),
    row(DOCUMENTS_READ, &[Role::Member], "see your documents"),
    row(DOCUMENTS_WRITE, &[Role::Member], "add and delete documents"),
    row(ORDERS_READ, &[Role::Member], "see your cart and your orders"),
    row(ORDERS_WRITE, &[Role::Member], "order, pay and cancel for you"),
];

const fn row(scope: &'static str, roles: &'static [Role], allows: &'static str) -> Row {
    Row { scope, roles, allows }
}

/// The scopes of a user with these roles, in the order of the table.
#[must_use]
pub fn of(roles: &[Role]) -> Vec<&'static str> {
    let has = |row: &&Row| row.roles.iter().any(|role| roles.contains(role));
    TABLE.iter().filter(has).map(|row| row.scope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_follow_from_roles() {
        let member =
            [ACCOUNT, AUDIT_READ, DOCUMENTS_READ, DOCUMENTS_WRITE, ORDERS_READ, ORDERS_WRITE];
        assert_eq!(of(&[Role::Member]), member);
        assert_eq!(of(&[Role::Admin]), [ADMIN]);
        assert_eq!(of(&[Role::Member, Role::Admin]).len(), TABLE.len());
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn a_scope_is_in_the_table_once_and_is_valid_in_a_token() {
        for (index, Row { scope, roles, allows }) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|other| other.scope != *scope), "{scope}");
            assert!(!roles.is_empty() && !scope.is_empty() && !allows.is_empty(), "{scope}");
            // RFC 6749, section 3.3: scopes are separated by spaces.
            assert!(
                scope.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\".contains(&b)),
                "{scope}"
            );
        }
    }
}
