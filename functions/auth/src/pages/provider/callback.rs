//! `GET /auth/callback/{provider}`: a browser comes back from a provider.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use secrecy::ExposeSecret;
use shared::Result;
use shared::conflict::retried;
use shared::id::UserId;
use shared::queue::Queue;

use super::super::layout::page;
use super::super::message::Message;
use super::super::next::Next;
use super::super::sign_in::{By, ask_again, code};
use super::{attempt, cookie, expired, failed, redirect_uri};
use crate::api::links::request_mail;
use crate::email::Email;
use crate::form::Form;
use crate::identity::{Identity, Subject};
use crate::link::NewIdentity;
use crate::provider::{Attempt, Client, Clients, Failure, SignedIn};
use crate::second_factor::Challenge;
use crate::send_mail::Wanted;
use crate::session;
use crate::store::{Account, How, Made, Owner, PasswordSet};
use crate::system::System;
use crate::token::{Issuer, Issuers};
use crate::user::User;

/// The way from this page to the others.
const ROOT: &str = "../";

pub(super) async fn show(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    Extension(clients): Extension<Clients>,
    Extension(mails): Extension<Queue>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    (headers, device): (HeaderMap, session::Client),
) -> Result<Response> {
    let issuer = issuers.current().await?;
    let answer = Form::of(query.unwrap_or_default().as_bytes()).ok();
    let begun = attempt(&issuer, &headers, state.clock.now());
    // The provider in the path is the one to which this browser was sent: no other can answer for it.
    let begun = begun.zip(answer).filter(|(attempt, answer)| {
        attempt.provider.as_str() == provider && attempt.is_state(answer.text("state"))
    });
    let client = clients.of(&provider);
    let Some((client, (attempt, answer))) = client.zip(begun) else {
        tracing::info!("a browser has no attempt to sign in that fits");
        return expired(ROOT);
    };
    if !state.users.use_attempt(&attempt, state.ids.next()).await? {
        tracing::info!("an attempt to sign in was used again");
        return expired(ROOT);
    }
    let next = match Next::repeated(&state, &attempt.goes_on).await? {
        Ok(next) => next,
        Err(nowhere) => return nowhere.page(),
    };
    let (state, issuer, mails) = (&state, &*issuer, &mails);
    let back = Back { state, issuer, client, mails, next: &next, headers: &headers, device };
    let mut shown = back.answered(&attempt, &answer).await?;
    shown.headers_mut().append(SET_COOKIE, cookie("", 0)?);
    Ok(shown)
}

/// A browser that has come back.
struct Back<'a> {
    state: &'a System,
    issuer: &'a Issuer,
    client: &'a Client,
    mails: &'a Queue,
    next: &'a Next,
    headers: &'a HeaderMap,
    device: session::Client,
}

/// What somebody can do with an identity.
enum Known {
    /// Sign in to this account.
    User(Box<Account>),
    /// Link it to the account with this address, by a link in a mail.
    Address(Email),
}

impl Back<'_> {
    async fn answered(self, attempt: &Attempt, answer: &Form) -> Result<Response> {
        let signed_in = match self.exchanged(attempt, answer).await {
            Ok(signed_in) => signed_in,
            Err(failure) => return self.failed(&failure),
        };
        let provider = self.client.provider.id.clone();
        let subject = Subject { provider, subject: signed_in.subject.clone() };
        if let Some(Owner::User(account)) = self.state.users.owner(&subject).await? {
            return self.signed_in(&account).await;
        }
        let email = match self.client.address(signed_in).await {
            Ok(Some(email)) => email,
            Ok(None) => return self.unproved(),
            Err(failure) => return self.failed(&failure),
        };
        match self.known(&subject, email).await? {
            Known::User(account) => self.signed_in(&account).await,
            Known::Address(email) => self.mailed(subject, &email).await,
        }
    }

    /// Whom the provider has signed in.
    async fn exchanged(&self, attempt: &Attempt, answer: &Form) -> Result<SignedIn, Failure> {
        let code = self.client.code(answer).await?;
        let redirect_uri = redirect_uri(self.issuer, self.client);
        self.client.exchange(attempt, code, &redirect_uri).await
    }

    /// What somebody can do with an identity whose provider has proved the address. An address without an account gets one at once.
    async fn known(&self, subject: &Subject, email: Email) -> Result<Known> {
        let users = &self.state.users;
        retried(async || {
            // Before the identity: another request may make both an account and its identity in between.
            let is_taken = users.by_email(&email).await?.is_some();
            let gone = match users.owner(subject).await? {
                None => return Ok(None),
                Some(Owner::User(account)) => return Ok(Some(Known::User(account))),
                Some(Owner::Nobody(gone)) => gone,
            };
            if is_taken {
                return Ok(Some(Known::Address(email.clone())));
            }
            self.made(subject, &email, gone).await
        })
        .await
    }

    /// A new account with the identity; `None` if another request has made one meanwhile.
    async fn made(
        &self,
        subject: &Subject,
        email: &Email,
        gone: Option<UserId>,
    ) -> Result<Option<Known>> {
        let (ids, now) = (&self.state.ids, self.state.clock.now());
        let user = User::register(email.clone(), ids, now);
        let identity = Identity {
            id: ids.next(),
            user: user.id,
            tenant: user.tenant,
            subject: subject.clone(),
            linked_at: now,
            client: self.device.clone(),
        };
        let password_set = PasswordSet { at: now, how: How::None, client: self.device.clone() };
        let account = Account {
            user,
            password_hash: None,
            epoch: 0,
            password_set,
            second_factor: None,
            tenants: 0,
            passkeys: 0,
        };
        if self.state.users.create_with(&account, &identity, gone).await? == Made::Taken {
            return Ok(None);
        }
        tracing::info!(user_id = %account.user.id, provider = %subject.provider, "registered");
        Ok(Some(Known::User(Box::new(account))))
    }

    /// Signs the user in, or asks for the second factor if the account has one.
    async fn signed_in(self, account: &Account) -> Result<Response> {
        let (state, issuer, next) = (self.state, self.issuer, self.next);
        tracing::info!(user_id = %account.user.id, provider = %self.client.provider.id, "known by a provider");
        if account.has_second_factor() {
            let challenge = Challenge::new(account.user.id, account.epoch, state.clock.now());
            let challenge = issuer.challenges().write(&challenge);
            let has_passkeys = account.passkeys > 0;
            return code::ask(next, challenge.expose_secret(), (has_passkeys, ROOT));
        }
        let by = By { state, issuer, headers: self.headers, root: ROOT };
        by.signed_in(next, account, self.device).await
    }

    /// Sends a mail with a link to the owner of the account. That there is an account, only the owner of the address learns.
    async fn mailed(&self, subject: Subject, email: &Email) -> Result<Response> {
        let name = &self.client.provider.name;
        let identity = NewIdentity { subject, provider_name: name.clone() };
        request_mail(self.mails, Wanted::Identity(identity), email).await?;
        let text = format!(
            "You have an account with {email} already. A mail to this address is on its way: open the link in it to sign in to \
             your account with {name} from now on. It works for one hour."
        );
        let message = Message { title: "Look at your mailbox", text: &text, ..Message::default() };
        page(StatusCode::OK, &message)
    }

    fn unproved(&self) -> Result<Response> {
        let name = &self.client.provider.name;
        tracing::info!(provider = %self.client.provider.id, "the provider has not proved an address");
        let notice = format!(
            "{name} has not told us an e-mail address of yours that it has proved, and to which we can send mail. Confirm your \
             address there, or create an account here."
        );
        let refusal = (StatusCode::UNPROCESSABLE_ENTITY, notice.as_str());
        ask_again(self.state, self.next, refusal, ROOT)
    }

    fn failed(&self, failure: &Failure) -> Result<Response> {
        failed(self.state, self.client, self.next, failure, ROOT)
    }
}
