//! The HTTP endpoints.

pub mod login;
pub mod register;
