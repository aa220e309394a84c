//! Registration and sign-in.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `auth-register`, `auth-forgot-password` | ask for a mail with a link | [`api::register`], [`api::forgot_password`] |
//! | `auth-send-mail` | sends it | [`send_mail`] |
//! | `auth-confirm`, `auth-reset-password` | use the link: create the user, or set the password | [`api::confirm`], [`api::reset_password`] |
//! | `auth-pages` | the same as pages for a browser, which the links lead to | [`pages`] |
//! | `auth-login` | `POST /v1/auth/login`: checks a password, begins a session | [`api::login`] |
//! | `auth-login-code` | `POST /v1/auth/login/code`: checks a code, begins a session | [`api::login_code`] |
//! | `auth-refresh` | `POST /v1/auth/refresh`: gives the next tokens of a session | [`api::refresh`] |
//! | `auth-logout`, `auth-list-sessions`, `auth-end-session`, `auth-end-sessions` | the user's sessions | [`session`], [`api`] |
//! | `auth-get-me`, `auth-change-password` | the user's account | [`api`] |
//! | `auth-authorize` | API Gateway's authorizer: checks the token or the API key of every other request | [`authorize`] |
//! | `auth-create-api-key`, `auth-list-api-keys`, `auth-rotate-api-key`, `auth-revoke-api-key` | the user's API keys, for programs | [`api_key`], [`api`] |
//! | `auth-enrol-totp`, `auth-confirm-totp`, `auth-get-totp`, `auth-remove-totp`, `auth-renew-recovery-codes` | the user's second factor | [`second_factor`], [`api`] |
//! | `auth-create-tenant`, `auth-list-tenants`, `auth-switch-tenant`, `auth-list-members`, `auth-give-role`, `auth-remove-member` | tenants that several users share, and their members | [`tenant`], [`api`] |
//! | `auth-invite`, `auth-list-invitations`, `auth-revoke-invitation`, `auth-accept-invitation` | invitations by mail | [`tenant`], [`api`] |
//! | `auth-list-identities`, `auth-remove-identity` | who the user is at outside providers | [`identity`], [`api`] |
//! | `auth-begin-passkey-sign-in`, `auth-login-passkey` | a sign-in by a passkey alone, or after the password | [`api::login_passkey`] |
//! | `auth-begin-passkey`, `auth-add-passkey`, `auth-list-passkeys`, `auth-remove-passkey` | the user's passkeys | [`passkey`], [`api`] |
//! | `auth-export-me`, `auth-delete-me` | all that is kept of the user, and its deletion | [`api`] |
//! | `auth-relay` | follows the table: writes the audit log, tells other systems of users | [`relay`], [`audit`] |
//! | `auth-list-audit` | shows the audit log of a tenant | [`api::list_audit`] |
//! | `auth-create-signing-key` | creates the keys when the stack is deployed | [`create_signing_key`] |
//! | `auth-rotate-keys` | rotates the keys, each 30 days and by command | [`rotate_keys`] |
//!
//! Other people's applications sign our users in by OAuth 2.1 and OpenID Connect ([`oauth`] has the rules):
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `auth-create-application`, `auth-list-applications`, `auth-renew-secret`, `auth-delete-application` | an administrator registers applications | [`api`] |
//! | `auth-get-configuration`, `auth-get-keys` | tell libraries all they need | [`api::get_configuration`], [`api::get_keys`] |
//! | `auth-sign-in-pages` | pages on which a user signs in, and allows an application or a device | [`pages::sign_in`] |
//! | `auth-provider-pages` | pages on which a user signs in at an outside provider | [`pages::provider`], [`provider`] |
//! | `auth-authorize-device` | begins a sign-in on a device without a browser | [`api::authorize_device`] |
//! | `auth-token` | gives tokens to an application | [`api::token`] |
//! | `auth-revoke`, `auth-introspect`, `auth-get-userinfo` | end a token, tell of a token, tell of its user | [`api`] |
//!
//! [`email`], [`password`], [`throttle`], [`link`], [`user`], [`tenant`], [`session`], [`api_key`], [`second_factor`],
//! [`passkey`], [`identity`], [`provider`], [`oauth`] and [`token`] have the rules; [`letters`] has the texts of mails. [`store`]
//! has the table's keys and conditions. [`keys`] stores the keys of
//! tokens.

pub mod api;
pub mod api_key;
pub mod audit;
pub mod authorize;
pub mod cookie;
pub mod create_signing_key;
pub mod email;
pub mod form;
pub mod identity;
pub mod keys;
pub mod letters;
pub mod link;
mod mac;
pub mod mail;
pub mod oauth;
pub mod pages;
pub mod passkey;
pub mod password;
pub mod provider;
pub mod random_token;
pub mod relay;
pub mod rotate_keys;
mod seal;
pub mod second_factor;
pub mod send_mail;
pub mod session;
pub mod store;
pub mod system;
pub mod tenant;
pub mod throttle;
pub mod token;
mod unicode;
pub mod user;
