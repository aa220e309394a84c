//! The pages, called with the sample event as a browser sends it. Each page is checked for what all pages promise.

mod flows;
mod limits;
mod odd_forms;
mod security;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderMap;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use form_urlencoded::Serializer;
use lambda_http::Context;
use serde_json::{Value, json};

use crate::support::{Auth, sample};

/// The names of all pages.
const PAGES: [&str; 4] = ["register", "confirm", "forgot-password", "reset-password"];
/// Those that ask for a mail, and those behind its link.
const ASKING: [&str; 2] = ["register", "forgot-password"];
const CHOOSING: [&str; 2] = ["confirm", "reset-password"];

/// All pages, to which a link or a form may lead.
const ALL: [&str; 14] = [
    "register",
    "confirm",
    "forgot-password",
    "reset-password",
    "sign-in",
    "sign-in-code",
    "sign-in-with",
    "link-identity",
    "sign-in-passkey",
    "passkeys",
    "sign-out",
    "authorize",
    "device",
    "join",
];

/// What pages consist of. None of these runs or loads anything.
const ELEMENTS: [&str; 17] = [
    "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "main", "h1", "p", "a", "form",
    "label", "input", "button", "ul", "li",
];
const ATTRIBUTES: [&str; 27] = [
    "action",
    "aria-describedby",
    "aria-invalid",
    "autocapitalize",
    "autocomplete",
    "autofocus",
    "charset",
    "class",
    "content",
    "data-options",
    "data-passkey",
    "data-without",
    "for",
    "hidden",
    "href",
    "html",
    "id",
    "lang",
    "maxlength",
    "method",
    "minlength",
    "name",
    "readonly",
    "required",
    "spellcheck",
    "type",
    "value",
];

/// The tags of the script.
const OF_SCRIPT: [&str; 2] = ["script src=\"passkeys.js\" defer", "/script"];

/// A page as a browser gets it.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) cookies: Vec<String>,
    pub(crate) body: String,
}

impl Page {
    /// The page, if it has the status and the text. Panics otherwise.
    pub(crate) fn says(self, status: u16, text: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.body.contains(text), "no {text:?} in {}", self.body);
        self
    }

    /// The values of an attribute, in order.
    pub(crate) fn values_of(&self, attribute: &str) -> Vec<&str> {
        let start = format!(" {attribute}=\"");
        let values = self.body.split(&start).skip(1);
        values.map(|rest| rest.split_once('"').unwrap().0).collect()
    }

    /// Checks what all pages promise, those of problems too. A form may end at `target`.
    fn check(&self, target: &str) {
        let style =
            self.body.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
        let hash = BASE64_STANDARD.encode(digest(&SHA256, style.unwrap().0.as_bytes()));
        // Only a page that asks for a passkey has a script: the file of ours.
        let has_script = self.body.contains("data-passkey=");
        let scripts = if has_script { "script-src 'self'; " } else { "" };
        let policy = format!(
            "default-src 'none'; {scripts}style-src 'sha256-{hash}'; form-action 'self'{target}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy.as_str()),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(self.headers.get(name).unwrap(), value, "{name} of {}", self.body);
        }
        assert!(self.body.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{}", self.body);
        // Only markup of ours. It has no script, and its only URLs name other pages of ours.
        let markup = self.body.replace(style.unwrap().0, "");
        for tag in markup.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let names: Vec<_> = tag.split('"').step_by(2).flat_map(str::split_whitespace).collect();
            let [element, attributes @ ..] = &names[..] else { panic!("{}", self.body) };
            if has_script && OF_SCRIPT.contains(&tag) {
                continue;
            }
            assert!(
                ELEMENTS.contains(&element.trim_start_matches('/')),
                "<{tag}> in {}",
                self.body
            );
            for name in attributes.iter().map(|name| name.trim_end_matches('=')) {
                assert!(ATTRIBUTES.contains(&name), "<{tag}> in {}", self.body);
            }
        }
        let refresh = self.headers.get("refresh").map(|value| value.to_str().unwrap());
        for url in ["href", "action"].iter().flat_map(|name| self.values_of(name)) {
            let page = url.strip_prefix("../").unwrap_or(url);
            let goes_on = refresh.is_some_and(|it| it == format!("0; url={}", unescaped(url)));
            assert!(ALL.contains(&page) || goes_on, "{url} in {}", self.body);
        }
    }
}

/// The text of an attribute.
pub(crate) fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&")
}

/// The event of a page that is opened, with what follows the `?`.
pub(crate) fn opened(page: &str, query: &str) -> Value {
    let mut event = at(page, "GET");
    event["rawQueryString"] = json!(query);
    for name in ["content-type", "content-length", "origin"] {
        event["headers"].as_object_mut().unwrap().remove(name);
    }
    event["isBase64Encoded"] = json!(false);
    event.as_object_mut().unwrap().remove("body");
    event
}

/// The event of a form that is sent. API Gateway encodes its body.
pub(crate) fn sent(page: &str, fields: &[(&str, &str)]) -> Value {
    let mut form = Serializer::new(String::new());
    sent_as(page, form.extend_pairs(fields).finish().as_bytes())
}

fn sent_as(page: &str, body: &[u8]) -> Value {
    let mut event = at(page, "POST");
    event["body"] = json!(BASE64_STANDARD.encode(body));
    event
}

fn at(page: &str, method: &str) -> Value {
    let mut event = sample("pages");
    let path = format!("/auth/{page}");
    event["routeKey"] = json!(format!("{method} {path}"));
    event["rawPath"] = json!(path);
    let context = event["requestContext"].as_object_mut().unwrap();
    context["routeKey"] = json!(format!("{method} {path}"));
    context["http"]["method"] = json!(method);
    context["http"]["path"] = json!(path);
    event
}

impl Auth {
    /// The answer to a browser.
    pub(crate) async fn browse(&self, event: Value) -> Page {
        self.browse_toward(event, "").await
    }

    /// The answer to a browser, whose forms may end at `target`, an origin.
    pub(crate) async fn browse_toward(&self, event: Value, target: &str) -> Page {
        let answer = shared::http::answer(self.pages.clone(), event, &Context::default()).await;
        assert!(!answer.is_base64_encoded);
        let body = serde_json::to_value(answer.body.unwrap()).unwrap();
        let page = Page {
            status: answer.status_code.try_into().unwrap(),
            headers: answer.headers,
            cookies: answer.cookies,
            body: body.as_str().unwrap().to_owned(),
        };
        let space = if target.is_empty() { "" } else { " " };
        if page.status == 303 {
            assert!(page.body.is_empty() && page.headers["cache-control"] == "no-store");
            assert_eq!(page.headers["referrer-policy"], "no-referrer");
        } else {
            page.check(&format!("{space}{target}"));
        }
        page
    }

    /// Asks for a mail by a page. Gives the token of its link.
    async fn asked_by_page(&self, page: &str, email: &str) -> String {
        self.browse(sent(page, &[("email", email)])).await.says(200, "is on its way");
        assert_eq!(self.deliver_mails().await, 1);
        self.mails(email).await.last().unwrap().token().to_owned()
    }
}
