//! `/auth/device`: a user types the code that a device shows, and allows the device to act for the user, or does not.
//!
//! **Guarantees.** Opening the page reads nothing, also with a code in its URL. Only a user who is signed in learns whether there
//! is a code, at the pace of the limit. Each device is asked about, also for an application of ours: somebody else may
//! have sent the code ([RFC 8628, 5.4](https://www.rfc-editor.org/rfc/rfc8628#section-5.4)). What is allowed is what the page
//! has shown, for the user whom it has shown, and the first decision counts.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::Timestamp;
use shared::Result;
use shared::http::rate_limit::limited;

use super::browser::{Browser, signed_in};
use super::layout::page;
use super::message::{Message, SIGN_OUT};
use super::next::Next;
use super::sign_in;
use crate::form::Form;
use crate::oauth::application::Application;
use crate::oauth::device::{Decision, Permission};
use crate::oauth::scope::Scopes;
use crate::oauth::user_code::UserCode;
use crate::store::FoundDevice;
use crate::system::System;
use crate::token::Issuers;

const PATH: &str = "/auth/device";
/// How many times as many forms as sign-ins one address may send. A device needs two.
const FORMS: u32 = 1;

const NO_CODE: &str = "A code has 8 letters, and none of them is a vowel.";
/// The same for each reason, which is in the log only.
const UNKNOWN: &str = "This code is not the one on your device, was used, or has expired. Begin again on your device for another one.";

/// The page that asks for the code.
#[derive(Debug, Template)]
#[template(path = "device.html")]
struct EnterCode<'a> {
    code: &'a str,
    error: Option<&'static str>,
}

/// The page that asks the user.
#[derive(Debug, Template)]
#[template(path = "allow_device.html")]
struct AllowDevice<'a> {
    code: &'a str,
    application: &'a str,
    email: &'a str,
    user: &'a str,
    scopes: &'a str,
    allows: &'a [&'static str],
}

/// The page's router.
pub(super) fn router(state: &System, issuers: &Issuers) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    let sent =
        limited(sent.layer(Extension(issuers.clone())), state.per_address("device-codes", FORMS));
    Router::new().route(PATH, get(show)).merge(sent)
}

async fn show(RawQuery(query): RawQuery) -> Result<Response> {
    let query = Form::of(query.unwrap_or_default().as_bytes()).ok();
    let code = query.and_then(|query| UserCode::read(query.text("user_code")));
    let code = code.map(|code| code.shown()).unwrap_or_default();
    page(StatusCode::OK, &EnterCode { code: &code, error: None })
}

async fn send(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response> {
    let Some(code) = UserCode::read(form.text("user_code")) else {
        return again(form.text("user_code"), NO_CODE);
    };
    let (issuer, now) = (issuers.current().await?, state.clock.now());
    let Some(browser) = signed_in(&state, &issuer, &headers, now).await? else {
        return sign_in::ask(&state, &Next::Device(code), "");
    };
    let decision = form.text("decision");
    if decision == "switch" {
        return sign_in::ask(&state, &Next::Device(code), "");
    }
    let Some((device, application)) = found(&state, &code, now).await? else {
        return again(&code.shown(), UNKNOWN);
    };
    let by = By { state: &state, browser: &browser, code, device, application, now };
    match decision {
        "allow" if by.is_what_the_page_showed(&form) => by.allow().await,
        "deny" => by.deny().await,
        "" => by.ask(StatusCode::OK),
        _ => by.ask(StatusCode::UNPROCESSABLE_ENTITY),
    }
}

/// The device that shows the code, and its application, if neither has ended.
async fn found(
    state: &System,
    code: &UserCode,
    now: Timestamp,
) -> Result<Option<(FoundDevice, Application)>> {
    let found = state.users.device(code).await?;
    let Some(found) = found.filter(|found| found.device.is_good(now)) else { return Ok(None) };
    let known = state.users.application(found.device.application).await?;
    Ok(known.map(|known| (found, known.application)))
}

fn again(code: &str, error: &'static str) -> Result<Response> {
    tracing::info!(reason = error, "a device's code is refused");
    page(StatusCode::UNPROCESSABLE_ENTITY, &EnterCode { code, error: Some(error) })
}

/// A device that asks, and the browser of a user who is signed in.
struct By<'a> {
    state: &'a System,
    browser: &'a Browser,
    code: UserCode,
    device: FoundDevice,
    application: Application,
    now: Timestamp,
}

impl By<'_> {
    /// What the user can give of what the device asks for.
    fn scopes(&self) -> Scopes {
        self.device.device.scopes.of_user(&self.browser.account.user)
    }

    /// Whether the page has shown this user and these scopes. Another user may have signed in in another tab since, and the
    /// user's roles may have changed.
    fn is_what_the_page_showed(&self, form: &Form) -> bool {
        form.text("user") == self.browser.account.user.id.to_string()
            && form.text("scopes") == self.scopes().to_string()
    }

    /// Asks the user, if nobody has decided yet.
    fn ask(&self, status: StatusCode) -> Result<Response> {
        if self.device.device.decision.is_some() {
            return again(&self.code.shown(), UNKNOWN);
        }
        let scopes = self.scopes();
        if scopes.is_empty() {
            return nothing_to_give();
        }
        let user = &self.browser.account.user;
        let asking = AllowDevice {
            code: &self.code.shown(),
            application: &self.application.name,
            email: user.email.as_str(),
            user: &user.id.to_string(),
            scopes: &scopes.to_string(),
            allows: &scopes.allows(),
        };
        page(status, &asking)
    }

    async fn allow(&self) -> Result<Response> {
        let scopes = self.scopes();
        if scopes.is_empty() {
            return nothing_to_give();
        }
        let Browser { account, session } = self.browser;
        let permission = Permission {
            user: account.user.id,
            epoch: account.epoch,
            scopes,
            signed_in_at: session.created_at,
        };
        self.decide(
            Decision::Allowed(permission),
            "You have allowed it",
            "Go back to your device: it goes on by itself within seconds. To end its access, end its session.",
        )
        .await
    }

    async fn deny(&self) -> Result<Response> {
        self.decide(Decision::Denied, "You have not allowed it", "The device gets no access.").await
    }

    /// Writes the decision, and tells the user.
    async fn decide(&self, decision: Decision, title: &str, text: &str) -> Result<Response> {
        if !self.state.users.decide(&self.device, &decision, self.now).await? {
            return again(&self.code.shown(), UNKNOWN);
        }
        let (user_id, application) = (self.browser.account.user.id, self.application.id);
        let is_allowed = decision != Decision::Denied;
        tracing::info!(%user_id, %application, is_allowed, "decided about a device");
        page(StatusCode::OK, &Message { title, text, ..Message::default() })
    }
}

fn nothing_to_give() -> Result<Response> {
    let message = Message {
        title: "Your account cannot be used for this",
        text: "The application on the device asks for nothing that your account has.",
        link: Some(SIGN_OUT),
        ..Message::default()
    };
    page(StatusCode::UNPROCESSABLE_ENTITY, &message)
}
