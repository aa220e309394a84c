//! OAuth 2.1 and OpenID Connect: the rules, by which other people's applications sign in our users.
//!
//! | module | has |
//! |---|---|
//! | [`application`] | what an application may do, and its secret (a *client* of OAuth) |
//! | [`redirect`] | where a browser may be sent with a code |
//! | [`request`] | what an application asks for in a browser |
//! | [`pkce`] | the proof that the application that began a sign-in ends it |
//! | [`code`] | what the application gets by the browser, and exchanges for tokens |
//! | [`device`], [`user_code`] | devices without a browser, and the short code that they show |
//! | [`scope`] | what an application may ask for, and what it gets |
//! | [`id_token`] | who signed in, for the application |
//! | [`error`] | refusals in the words of the standards |
//!
//! **Guarantees.**
//!
//! - A browser is sent only to an address that the application has registered, character by character; a loopback IP
//!   address may have any port.
//! - A code is good once, for [`code::LIFETIME`], for one application and one address, and only with the secret of PKCE. If
//!   it comes again, the session that it began ends.
//! - A device gets tokens once, after a user has allowed it on a page, within [`device::LIFETIME`]. The first decision counts.
//! - An application gets no scope that it was not registered for, that the user has not allowed, or that the user does not
//!   have at the moment when a token is issued.
//! - The table has no code of an application or of a device, and no secret of an application, only hashes.

pub mod application;
pub mod code;
pub mod device;
pub mod error;
pub mod id_token;
pub mod pkce;
pub mod redirect;
pub mod request;
pub mod scope;
pub mod user_code;
