//! Who is signed in in a browser: the cookie.
//!
//! **Guarantees.** The cookie names a session, which is listed and ended like every other one, and ends with the password. No
//! script reads the cookie, no other site makes a browser send it with a form, and no other host gets it
//! (`__Host-`, [RFC 6265bis, 4.1.3](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3)).
//! It is good for our pages only: no endpoint takes it, and it gives no tokens.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use shared::Result;

use crate::cookie::BrowserToken;
use crate::session::{IDLE, Session};
use crate::store::Account;
use crate::system::System;
use crate::token::Issuer;

const NAME: &str = "__Host-arsenal";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// Who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Browser {
    /// The user's account.
    pub(super) account: Account,
    /// The session.
    pub(super) session: Session,
}

/// The session that the browser's cookie names, if it is alive. 2 RRU with a cookie of ours.
pub(super) async fn signed_in(
    state: &System,
    issuer: &Issuer,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<Browser>> {
    let Some(token) = token(issuer, headers) else { return Ok(None) };
    let account = state.users.account(token.user).await?;
    let session = state.users.session(token.user, token.session).await?;
    Ok(account.zip(session).map(|(account, session)| Browser { account, session }).filter(|it| {
        it.session.application.is_none() && it.session.is_alive(it.account.epoch, now)
    }))
}

/// What the cookie says.
pub(super) fn token(issuer: &Issuer, headers: &HeaderMap) -> Option<BrowserToken> {
    issuer.browsers().read(only_cookie(headers, NAME)?)
}

/// The cookie of this name. If there are several, none counts: another host of the same site may have set one.
pub(super) fn only_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let sent = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = sent.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let mut ours = pairs.filter(|(it, _)| it.trim() == name).map(|(_, value)| value.trim());
    let only = ours.next();
    only.filter(|_| ours.next().is_none())
}

/// The header that makes the browser keep the session.
pub(super) fn keep(issuer: &Issuer, session: &Session) -> Result<(HeaderName, HeaderValue)> {
    let token = BrowserToken { user: session.user, session: session.id };
    let text = issuer.browsers().write(&token);
    let age = IDLE.as_secs();
    let cookie = format!("{NAME}={}; Max-Age={age}; {ATTRIBUTES}", text.expose_secret());
    Ok((SET_COOKIE, HeaderValue::try_from(cookie)?))
}

/// The header that makes the browser forget it.
pub(super) fn forget() -> Result<(HeaderName, HeaderValue)> {
    Ok((SET_COOKIE, HeaderValue::try_from(format!("{NAME}=; Max-Age=0; {ATTRIBUTES}"))?))
}
