//! Registration and sign-in.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `auth-register` | `POST /v1/auth/register`: creates a user and the user's own tenant | [`api::register`] |
//! | `auth-login` | `POST /v1/auth/login`: checks a password, answers with an access token | [`api::login`] |
//! | `auth-authorize` | API Gateway's authorizer: checks the token of every other request | [`authorize`] |
//! | `auth-create-signing-key` | creates the signing key when the stack is deployed | [`create_signing_key`] |
//!
//! [`email`], [`password`], [`user`] and [`token`] have the rules. [`store`] has the table's keys and
//! conditions. [`keys`] stores the signing key.

pub mod api;
pub mod authorize;
pub mod create_signing_key;
pub mod email;
pub mod keys;
pub mod password;
pub mod store;
pub mod system;
pub mod token;
pub mod user;
