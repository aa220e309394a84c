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

/// What pages consist of. None of these runs or loads anything.
const ELEMENTS: [&str; 15] = [
    "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "main", "h1", "p", "a", "form",
    "label", "input", "button",
];
const ATTRIBUTES: [&str; 23] = [
    "action",
    "aria-describedby",
    "aria-invalid",
    "autocapitalize",
    "autocomplete",
    "autofocus",
    "charset",
    "class",
    "content",
    "for",
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

/// A page as a browser gets it.
struct Page {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Page {
    /// The page, if it has the status and the text. Panics otherwise.
    fn says(self, status: u16, text: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.body.contains(text), "no {text:?} in {}", self.body);
        self
    }

    /// The values of an attribute, in order.
    fn values_of(&self, attribute: &str) -> Vec<&str> {
        let start = format!(" {attribute}=\"");
        let values = self.body.split(&start).skip(1);
        values.map(|rest| rest.split_once('"').unwrap().0).collect()
    }

    /// Checks what all pages promise, those of problems too.
    fn check(&self) {
        let style =
            self.body.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
        let hash = BASE64_STANDARD.encode(digest(&SHA256, style.unwrap().0.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; \
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
            assert!(
                ELEMENTS.contains(&element.trim_start_matches('/')),
                "<{tag}> in {}",
                self.body
            );
            for name in attributes.iter().map(|name| name.trim_end_matches('=')) {
                assert!(ATTRIBUTES.contains(&name), "<{tag}> in {}", self.body);
            }
        }
        for url in ["href", "action"].iter().flat_map(|name| self.values_of(name)) {
            assert!(PAGES.contains(&url), "{url} in {}", self.body);
        }
    }
}

/// The event of a page that is opened, with what follows the `?`.
fn opened(page: &str, query: &str) -> Value {
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
fn sent(page: &str, fields: &[(&str, &str)]) -> Value {
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
    async fn browse(&self, event: Value) -> Page {
        let answer = shared::http::answer(self.pages.clone(), event, &Context::default()).await;
        assert!(!answer.is_base64_encoded);
        let body = serde_json::to_value(answer.body.unwrap()).unwrap();
        let page = Page {
            status: answer.status_code.try_into().unwrap(),
            headers: answer.headers,
            body: body.as_str().unwrap().to_owned(),
        };
        page.check();
        page
    }

    /// Asks for a mail by a page. Gives the token of its link.
    async fn asked_by_page(&self, page: &str, email: &str) -> String {
        self.browse(sent(page, &[("email", email)])).await.says(200, "is on its way");
        assert_eq!(self.deliver_mails().await, 1);
        self.mails(email).await.last().unwrap().token().to_owned()
    }
}
