//! The pages for a browser: those that mails link to, and those on which a user signs in.
//!
//! | page | does | code |
//! |---|---|---|
//! | `/auth/register` | asks for a mail with a link | `register` |
//! | `/auth/confirm` | behind the link: creates the account, with a password | `confirm` |
//! | `/auth/forgot-password` | asks for a mail with a link | `forgot_password` |
//! | `/auth/reset-password` | behind the link: sets the password | `reset_password` |
//! | `/auth/sign-in`, `/auth/sign-in-code`, `/auth/sign-out` | begins and ends a session of the browser | `sign_in`, `next`, `sign_out`, `browser` |
//! | `/auth/sign-in-with`, `/auth/callback/{provider}` | signs in at an outside provider | `provider` |
//! | `/auth/link-identity` | behind a link in a mail: links an identity at a provider to the account | `link_identity` |
//! | `/auth/sign-in-passkey` | signs in by a passkey, alone or after the password | `sign_in` |
//! | `/auth/passkeys`, `/auth/passkeys.js` | shows, adds and removes passkeys; the script that asks the browser for one | `passkeys`, `passkey_script` |
//! | `/auth/authorize` | asks the user to allow an application | `authorize`, `asked` |
//! | `/auth/device` | asks the user to allow a device, which shows a code | `device` |
//! | `/auth/join` | behind the link of an invitation: makes the user a member of a tenant | `join` |
//!
//! **Guarantees.**
//!
//! - Opening a page changes nothing: programs of mail providers open links to check them. The page looks at the link, to
//!   show whose password it is about. Only a form that is sent uses it.
//! - A form does what its endpoint does, by the same function and within the same limit: requests to both are counted
//!   together.
//! - A page needs no script, and loads nothing, but one that asks for a passkey, which needs one file of ours. What somebody has typed is text in it, never markup. A password is in no
//!   page.
//! - A form that another site sends is refused (`cross_site`).
//! - Each problem is a page, with the status and the headers that the endpoints have for it (`problem`).
//!
//! The markup is in `templates/`: `layout` has what all pages share, `fields` the fields of forms.

mod asked;
mod authorize;
mod browser;
mod confirm;
mod cross_site;
mod device;
mod fields;
mod forgot_password;
mod join;
mod layout;
mod link;
mod link_identity;
mod message;
mod next;
mod passkey_script;
mod passkeys;
mod problem;
pub mod provider;
mod register;
mod reset_password;
pub mod sign_in;
mod sign_out;

use axum::Router;
use axum::middleware::from_fn;
use shared::queue::Queue;

pub use problem::page_of;

use crate::system::System;

/// The router of the pages that mails link to. It sends jobs to `mails`.
pub fn router(state: &System, mails: &Queue) -> Router {
    register::router(state, mails.clone())
        .merge(forgot_password::router(state, mails.clone()))
        .merge(confirm::router(state))
        .merge(reset_password::router(state))
        .merge(link_identity::router(state))
        // Around the limits, so that a form of another site uses nobody's share.
        .layer(from_fn(cross_site::check))
}
