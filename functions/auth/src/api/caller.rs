//! Which application calls: the authentication of clients at the endpoints of OAuth
//! ([RFC 6749, 2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::oauth::application::{Application, ApplicationKind, Secret};
use crate::oauth::error::{Code, Failure, OAuthError};
use crate::system::System;

/// What a form says of the application that sends it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Credentials {
    /// The application's id, unless it is in the header `Authorization: Basic`.
    #[schema(example = "app_01M7YRRT800000000000000000")]
    client_id: Option<String>,
    /// The application's secret, unless it is in that header, or the application is public.
    #[schema(value_type = Option<String>, format = Password)]
    client_secret: Option<SecretString>,
}

/// The same whether the application is unknown or its secret is another one.
const INVALID_CLIENT: OAuthError = OAuthError::new(
    Code::InvalidClient,
    "the application is unknown, or its secret is another one",
);

/// The application that sends this request: a confidential one has proved it by its secret.
///
/// # Errors
/// 401 `invalid_client`; 400 when the request has the credentials twice.
pub(super) async fn caller(
    state: &System,
    headers: &HeaderMap,
    form: Credentials,
) -> Result<Application, Failure> {
    let (id, secret) = credentials(headers, form)?;
    let id = id.parse().map_err(|_| INVALID_CLIENT)?;
    let known = state.users.application(id).await?.ok_or(INVALID_CLIENT)?;
    let secret = secret.map(Secret::try_from).transpose().map_err(|_| INVALID_CLIENT)?;
    let is_proved = match (known.application.kind, &secret) {
        (ApplicationKind::Confidential, Some(secret)) => known.knows(secret, state.clock.now()),
        (ApplicationKind::Public, None) => true,
        _ => false,
    };
    if is_proved { Ok(known.application) } else { Err(INVALID_CLIENT.into()) }
}

fn credentials(
    headers: &HeaderMap,
    form: Credentials,
) -> Result<(String, Option<SecretString>), OAuthError> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let (header, second) = (sent.next(), sent.next());
    let Some(header) = header else {
        return Ok((form.client_id.ok_or(INVALID_CLIENT)?, form.client_secret));
    };
    let (id, secret) = header.to_str().ok().and_then(basic).ok_or(INVALID_CLIENT)?;
    // Some libraries repeat the id.
    let is_other = form.client_id.is_some_and(|other| other != id);
    if second.is_some() || form.client_secret.is_some() || is_other {
        let description = "the request has the application or its secret twice";
        return Err(OAuthError::new(Code::InvalidRequest, description));
    }
    Ok((id, Some(secret)))
}

/// The id and the secret of a header. Each is encoded as in a form (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, SecretString)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id)?, decoded(secret)?.into()))
}

fn decoded(text: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    match (pairs.next(), pairs.next()) {
        (None, _) => Some(String::new()),
        (Some((name, value)), None) if value.is_empty() => Some(name.into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(header: &str) -> Option<(String, String)> {
        basic(header).map(|(id, secret)| (id, secret.expose_secret().to_owned()))
    }

    fn of(text: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(text))
    }

    #[test]
    fn credentials_in_a_header_are_read() {
        let expected = Some(("app_1".to_owned(), "arsenal_cs_x-y".to_owned()));
        assert_eq!(read(&of("app_1:arsenal_cs_x-y")), expected);
        assert_eq!(read(&of("app%5F1:arsenal%5fcs_x%2Dy")), expected);
        assert_eq!(read(&of("app_1:arsenal_cs_x-y").replace("Basic", "bASIC ")), expected);
        assert_eq!(read(&of("a+b:")), Some(("a b".into(), String::new())));
    }

    #[test]
    fn a_header_that_could_be_read_in_two_ways_is_refused() {
        for text in ["", "app_1", "a=b:c", "a&b:c", "a:b&c", "a:b=c"] {
            assert_eq!(read(&of(text)), None, "{text}");
        }
        for header in ["", "Basic", "Basic %", "Bearer YTpi", "Basic /w=="] {
            assert_eq!(read(header), None, "{header}");
        }
    }
}
