//! Where a browser goes on after a sign-in. The forms of a sign-in repeat it, in the fields `request`, `device` and
//! `page`.

use shared::Result;

use super::asked::{Asked, Nowhere};
use crate::form::Form;
use crate::oauth::user_code::UserCode;
use crate::system::System;

/// The page of the passkeys.
const PASSKEYS: &str = "passkeys";

/// Where a browser goes on.
pub(super) enum Next {
    /// Nowhere else.
    Here,
    /// To the page of an application that asks.
    Application(Box<Asked>),
    /// To the page of the passkeys.
    Passkeys,
    /// To the page of a device, with the code that it shows.
    Device(UserCode),
}

impl Next {
    /// What a form repeats.
    pub(super) async fn read(state: &System, form: &Form) -> Result<Result<Self, Nowhere>> {
        match form.text("request") {
            "" if form.text("page") == PASSKEYS => Ok(Ok(Self::Passkeys)),
            "" => {
                let code = UserCode::read(form.text("device"));
                Ok(Ok(code.map_or(Self::Here, Self::Device)))
            }
            query => Ok(Asked::read(state, query).await?.map(Self::of)),
        }
    }

    /// To the page of this application.
    pub(super) fn of(asked: Asked) -> Self {
        Self::Application(Box::new(asked))
    }

    /// The field `request`.
    pub(super) fn request(&self) -> String {
        if let Self::Application(asked) = self { asked.query() } else { String::new() }
    }

    /// The field `device`.
    pub(super) fn device(&self) -> Option<String> {
        if let Self::Device(code) = self { Some(code.shown()) } else { None }
    }

    /// The field `page`.
    pub(super) fn page(&self) -> Option<&str> {
        if let Self::Passkeys = self { Some(PASSKEYS) } else { None }
    }

    /// What the user goes on to.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Here => None,
            Self::Application(asked) => Some(&asked.application.name),
            Self::Device(_) => Some("your device"),
            Self::Passkeys => Some("your passkeys"),
        }
    }

    /// The origin at which forms may end; empty for ours.
    pub(super) fn target(&self) -> String {
        if let Self::Application(asked) = self { asked.target.source() } else { String::new() }
    }

    /// The URL after the sign-in.
    pub(super) fn url(&self) -> Option<String> {
        match self {
            Self::Here => None,
            Self::Passkeys => Some(PASSKEYS.to_owned()),
            Self::Application(asked) => Some(format!("authorize?{}", asked.query_after_sign_in())),
            Self::Device(code) => Some(format!("device?user_code={}", code.shown())),
        }
    }
}
