//! OAuth 2.1 and OpenID Connect: an application, the browser of a user, and the API.

mod applications;
mod codes;
mod devices;
mod flows;
mod machines;
mod refreshes;
mod refusals;

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use form_urlencoded::Serializer;
use serde_json::{Value, json};

use crate::pages::{Page, opened, sent};
use crate::sessions::ADA;
use crate::support::{Answer, Auth, PASSWORD, auth, sample};

pub(crate) const CALLBACK: &str = "https://app.example.org/callback";
pub(crate) const HOST: &str = "https://app.example.org";
/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A registered application.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) user: Value,
    pub(crate) tenant: Value,
    pub(crate) secret: Option<String>,
}

/// With Ada, her browser and an application.
pub(crate) async fn with_app(change: &Value) -> (Auth, String, App) {
    let auth = auth().await;
    auth.register(ADA).await;
    let browser = auth.browser(ADA).await;
    let app = auth.application(change).await;
    (auth, browser, app)
}

/// What an application asks for by the browser, with some parameters changed. An empty one is left out.
pub(crate) fn asks(app: &App, changes: &[(&str, &str)]) -> String {
    let mut parameters = BTreeMap::from([
        ("client_id", app.id.as_str()),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid email orders:read"),
        ("state", "af0ifjsldkj&=é"),
    ]);
    parameters.extend(changes.iter().copied());
    parameters.retain(|_, value| !value.is_empty());
    Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The event with the browser's cookie.
pub(crate) fn with_cookie(mut event: Value, browser: &str) -> Value {
    if !browser.is_empty() {
        event["cookies"] = json!(["other=1", browser]);
    }
    event
}

/// The parameters with which a browser is sent back to the application.
pub(crate) fn sent_back(page: &Page) -> BTreeMap<String, String> {
    assert_eq!(page.status, 303, "{}", page.body);
    let location = page.headers["location"].to_str().unwrap();
    let query = location.strip_prefix(&format!("{CALLBACK}?"));
    let query = query.unwrap_or_else(|| panic!("{location}"));
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The claims of a token.
pub(crate) fn claims(token: &str) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The parameters that exchange a code.
pub(crate) fn exchange(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

impl Answer {
    /// The status and the error of OAuth.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or_default())
    }
}

impl Auth {
    /// Registers an application, with some fields of the request changed.
    pub(crate) async fn application(&self, change: &Value) -> App {
        let mut event = sample("create-application");
        let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        body["scopes"] = json!(["openid", "email", "orders:read"]);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        event["body"] = json!(body.to_string());
        let body = self.call(&event).await.ok(201);
        let application = &body["application"];
        App {
            id: application["id"].as_str().unwrap().to_owned(),
            user: application["user"].clone(),
            tenant: application["tenant"].clone(),
            secret: body["client_secret"].as_str().map(str::to_owned),
        }
    }

    /// Signs a user in by the page. Gives the browser's cookie.
    pub(crate) async fn browser(&self, email: &str) -> String {
        let form = sent("sign-in", &[("email", email), ("password", PASSWORD)]);
        let page = self.browse(form).await.says(200, "You are signed in");
        cookie(&page)
    }

    /// Opens the page to which an application sends a browser.
    pub(crate) async fn open(&self, query: &str, browser: &str) -> Page {
        let event = with_cookie(opened("authorize", query), browser);
        self.browse_toward(event, HOST).await
    }

    /// Sends the form of that page, with a decision.
    pub(crate) async fn decide(&self, page: &Page, decision: &str, browser: &str) -> Page {
        let [request, user, scopes, ..] = &page.values_of("value")[..] else {
            panic!("{}", page.body)
        };
        let request = request.replace("&#38;", "&");
        let form = sent(
            "authorize",
            &[("request", &request), ("user", user), ("scopes", scopes), ("decision", decision)],
        );
        self.browse_toward(with_cookie(form, browser), HOST).await
    }

    /// The code for an application that the user allows.
    pub(crate) async fn code(&self, query: &str, browser: &str) -> String {
        let page = self.open(query, browser).await.says(200, "Allow Example?");
        let page = self.decide(&page, "allow", browser).await;
        sent_back(&page).remove("code").unwrap()
    }

    /// A form that an application sends to an endpoint of OAuth.
    pub(crate) async fn post(&self, name: &str, app: &App, fields: &[(&str, &str)]) -> Answer {
        let mut event = sample(name);
        let headers = event["headers"].as_object_mut().unwrap();
        headers.remove("authorization");
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields);
        match &app.secret {
            Some(secret) => {
                let basic = BASE64_STANDARD.encode(format!("{}:{secret}", app.id));
                headers.insert("authorization".into(), json!(format!("Basic {basic}")));
            }
            None => drop(form.append_pair("client_id", &app.id)),
        }
        event["body"] = json!(BASE64_STANDARD.encode(form.finish()));
        self.call(&event).await
    }

    /// The tokens for a code.
    pub(crate) async fn tokens(&self, app: &App, code: &str) -> Value {
        self.post("token", app, &exchange(code)).await.ok(200)
    }
}

/// The cookie that a page sets, as the browser sends it.
pub(crate) fn cookie(page: &Page) -> String {
    let [set] = &page.cookies[..] else { panic!("{:?}", page.cookies) };
    let (cookie, attributes) = set.split_once("; ").unwrap();
    assert_eq!(attributes, "Max-Age=1209600; Path=/; Secure; HttpOnly; SameSite=Lax");
    assert!(cookie.starts_with("__Host-arsenal=arsenal_bs_"), "{cookie}");
    cookie.to_owned()
}
