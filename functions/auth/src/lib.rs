//! Sign-in.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `auth-register` | `POST /v1/auth/register`: makes a user and the user's own tenant | [`api::register`] |
//! | `auth-login` | `POST /v1/auth/login`: checks a password, answers with an access token | [`api::login`] |
//! | `auth-authorize` | API Gateway's authorizer: checks the token of every other request | [`authorize`] |
//! | `auth-create-signing-key` | makes the signing key when the stack is deployed | [`create_signing_key`] |
//!
//! The rules are in [`email`], [`password`], [`user`] and [`token`]; keys and conditions of the
//! table in [`store`]; where the signing key lives in [`keys`].

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
