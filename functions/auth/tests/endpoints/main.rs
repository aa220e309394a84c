//! The endpoints and the authorizer, called with the sample events.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod api_keys;
mod audit;
mod equal_work;
mod factor_audit;
mod factor_codes;
mod factor_races;
mod factor_setup;
mod factor_support;
mod mails;
mod oauth;
mod odd_requests;
mod pages;
mod passkeys;
mod passwords;
mod providers;
mod rotation;
mod sessions;
mod signing_in;
mod stream;
mod support;
mod tenants;
mod tries;
