//! Where a browser goes on after a sign-in. The forms of a sign-in repeat it, in the fields `request`, `device`, `token` and
//! `page`.

use secrecy::SecretString;
use shared::Result;

use super::asked::{Asked, Nowhere};
use crate::form::Form;
use crate::link::LinkToken;
use crate::oauth::user_code::UserCode;
use crate::provider::attempt::GoesOn;
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
    /// To the page of an invitation, with the token of its link.
    Join(LinkToken),
}

impl Next {
    /// Where a form says.
    pub(super) async fn read(state: &System, form: &Form) -> Result<Result<Self, Nowhere>> {
        let text = |name| form.text(name).to_owned();
        let goes_on = GoesOn {
            request: text("request"),
            device: text("device"),
            token: text("token"),
            page: text("page"),
        };
        Self::repeated(state, &goes_on).await
    }

    /// Where these fields say.
    pub(super) async fn repeated(
        state: &System,
        goes_on: &GoesOn,
    ) -> Result<Result<Self, Nowhere>> {
        match goes_on.request.as_str() {
            "" if goes_on.page == PASSKEYS => Ok(Ok(Self::Passkeys)),
            "" => {
                let device = UserCode::read(&goes_on.device).map(Self::Device);
                let token = || LinkToken::try_from(SecretString::from(goes_on.token.clone())).ok();
                let next = device.or_else(|| token().map(Self::Join));
                Ok(Ok(next.unwrap_or(Self::Here)))
            }
            query => Ok(Asked::read(state, query).await?.map(Self::of)),
        }
    }

    /// To the page of this application.
    pub(super) fn of(asked: Asked) -> Self {
        Self::Application(Box::new(asked))
    }

    /// What a form repeats.
    pub(super) fn goes_on(&self) -> GoesOn {
        let token = self.token().unwrap_or_default().to_owned();
        GoesOn {
            request: self.request(),
            device: self.device().unwrap_or_default(),
            token,
            page: self.page().unwrap_or_default().to_owned(),
        }
    }

    /// The field `request`.
    pub(super) fn request(&self) -> String {
        if let Self::Application(asked) = self { asked.query() } else { String::new() }
    }

    /// The field `device`.
    pub(super) fn device(&self) -> Option<String> {
        if let Self::Device(code) = self { Some(code.shown()) } else { None }
    }

    /// The field `token`.
    pub(super) fn token(&self) -> Option<&str> {
        if let Self::Join(token) = self { Some(token.expose()) } else { None }
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
            Self::Join(_) => Some("your invitation"),
            Self::Passkeys => Some("your passkeys"),
        }
    }

    /// Whether the application demands that the user proves anew who it is.
    pub(super) fn asks_again(&self) -> bool {
        let Self::Application(asked) = self else { return false };
        let prompts = asked.form.text("prompt").split(' ').any(|it| it == "login");
        prompts || !asked.form.text("max_age").is_empty()
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
            Self::Join(token) => Some(format!("join?token={}", token.expose())),
        }
    }
}
