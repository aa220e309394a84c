//! `/auth/link-identity?token=…`: links an identity at a provider to the account whose mail has the link.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use shared::Result;
use shared::conflict::retried;
use shared::http::rate_limit::limited;

use super::layout::page;
use super::link;
use super::message::{Message, SIGN_IN};
use crate::api::links::confirmations;
use crate::form::Form;
use crate::identity::{Identity, MAX_IDENTITIES};
use crate::link::{Link, LinkToken, NewIdentity, Purpose};
use crate::session::Client;
use crate::store::{Linked, Owner};
use crate::system::System;

const PATH: &str = "/auth/link-identity";

#[derive(Debug, Template)]
#[template(path = "link_identity.html")]
struct LinkIdentity<'a> {
    token: &'a str,
    email: &'a str,
    provider: &'a str,
}

/// The page's router.
pub(super) fn router(state: &System) -> Router {
    let sent = Router::new().route(PATH, post(send)).with_state(state.clone());
    let opened = Router::new().route(PATH, get(show)).with_state(state.clone());
    opened.merge(limited(sent, confirmations(state)))
}

async fn show(State(state): State<System>, RawQuery(query): RawQuery) -> Result<Response> {
    match link::opened(&state, query).await? {
        Some((token, Link { email, purpose: Purpose::Identity { identity, .. }, .. })) => {
            let (token, email) = (token.expose(), email.as_str());
            page(StatusCode::OK, &LinkIdentity { token, email, provider: &identity.provider_name })
        }
        _ => link::invalid(SIGN_IN),
    }
}

async fn send(State(state): State<System>, client: Client, form: Form) -> Result<Response> {
    let Some(token) = link::in_form(&form) else { return link::invalid(SIGN_IN) };
    let link = state.users.link(&token, state.clock.now()).await?;
    let Some(Link { purpose: Purpose::Identity { user, epoch, identity }, .. }) = link else {
        return link::invalid(SIGN_IN);
    };
    let of = Of { state: &state, token: &token, epoch };
    let Some(account) = state.users.account(user).await? else { return link::invalid(SIGN_IN) };
    let NewIdentity { subject, provider_name } = identity;
    let linked = Identity {
        id: state.ids.next(),
        user,
        tenant: account.user.tenant,
        subject,
        linked_at: state.clock.now(),
        client,
    };
    match of.linked(&linked).await? {
        Linked::Made => {
            tracing::info!(user_id = %user, identity = %linked.id, provider = %linked.subject.provider, "identity linked");
            said(
                StatusCode::OK,
                &format!("You can sign in with {provider_name} now."),
                "It is done",
            )
        }
        Linked::InvalidLink => link::invalid(SIGN_IN),
        Linked::Full => {
            let text = format!(
                "An account has at most {MAX_IDENTITIES} ways to sign in at other sites. Remove one, and begin again."
            );
            said(StatusCode::CONFLICT, &text, "There are too many")
        }
        Linked::Taken => {
            let text =
                format!("Sign in with {provider_name}: it is connected to an account already.");
            said(StatusCode::CONFLICT, &text, "It is connected already")
        }
    }
}

/// A link in a mail.
struct Of<'a> {
    state: &'a System,
    token: &'a LinkToken,
    epoch: u32,
}

impl Of<'_> {
    /// Links the identity, unless it leads to an account.
    async fn linked(&self, identity: &Identity) -> Result<Linked> {
        let users = &self.state.users;
        retried(async || {
            let gone = match users.owner(&identity.subject).await? {
                None => return Ok(None),
                Some(Owner::User(_)) => return Ok(Some(Linked::Taken)),
                Some(Owner::Nobody(gone)) => gone,
            };
            users.link_identity(self.token, identity, self.epoch, gone).await.map(Some)
        })
        .await
    }
}

fn said(status: StatusCode, text: &str, title: &str) -> Result<Response> {
    page(status, &Message { title, text, link: Some(SIGN_IN), ..Message::default() })
}
