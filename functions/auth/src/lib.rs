//! Registration and sign-in.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `auth-register` | `POST /v1/auth/register`: creates a user and the user's own tenant | [`api::register`] |
//! | `auth-login` | `POST /v1/auth/login`: checks a password, begins a session | [`api::login`] |
//! | `auth-refresh` | `POST /v1/auth/refresh`: gives the next tokens of a session | [`api::refresh`] |
//! | `auth-logout`, `auth-list-sessions`, `auth-end-session`, `auth-end-sessions` | the user's sessions | [`session`], [`api`] |
//! | `auth-get-me`, `auth-change-password` | the user's account | [`api`] |
//! | `auth-authorize` | API Gateway's authorizer: checks the token of every other request | [`authorize`] |
//! | `auth-create-signing-key` | creates the keys when the stack is deployed | [`create_signing_key`] |
//! | `auth-rotate-keys` | rotates the keys, each 30 days and by command | [`rotate_keys`] |
//!
//! [`email`], [`password`], [`throttle`], [`user`], [`session`] and [`token`] have the rules. [`store`] has the table's keys and
//! conditions. [`keys`] stores the keys of tokens.

pub mod api;
pub mod authorize;
pub mod create_signing_key;
pub mod email;
pub mod keys;
pub mod password;
pub mod rotate_keys;
pub mod session;
pub mod store;
pub mod system;
pub mod throttle;
pub mod token;
mod unicode;
pub mod user;
