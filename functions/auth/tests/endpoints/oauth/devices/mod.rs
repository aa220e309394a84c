//! Devices without a browser: the codes, the page, and the polls.

mod decisions;
mod flows;
mod polls;
mod refusals;

use std::time::Duration;

use serde_json::{Value, json};

use super::{App, cookie, with_app, with_cookie};
use crate::pages::{Page, opened, sent};
use crate::sessions::advance;
use crate::support::{Answer, Auth, sample};

pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a device knows and shows.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    device: String,
    user: String,
}

/// With Ada, her browser and an application on a device.
async fn with_device() -> (Auth, String, App) {
    with_app(&on_a_device()).await
}

/// What is different at the registration of such an application.
fn on_a_device() -> Value {
    json!({"kind": "public", "grants": ["device_code"], "redirect_uris": []})
}

fn seconds(auth: &Auth, seconds: u64) {
    advance(auth, Duration::from_secs(seconds));
}

impl Auth {
    /// A device begins.
    async fn begun(&self, app: &App) -> Codes {
        let body = self.post("authorize-device", app, &[]).await.ok(200);
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Codes { device: text("device_code"), user: text("user_code") }
    }

    /// The device polls.
    async fn poll(&self, app: &App, codes: &Codes) -> Answer {
        let fields = [("grant_type", GRANT), ("device_code", codes.device.as_str())];
        self.post("token", app, &fields).await
    }

    /// The user types the code.
    async fn enter(&self, code: &str, browser: &str) -> Page {
        let form = sent("device", &[("user_code", code)]);
        self.browse(with_cookie(form, browser)).await
    }

    /// The user sends the form that asks for the decision.
    async fn decide_on(&self, page: &Page, decision: &str, browser: &str) -> Page {
        let [code, user, scopes, ..] = &page.values_of("value")[..] else {
            panic!("{}", page.body)
        };
        let fields =
            [("user_code", *code), ("user", user), ("scopes", scopes), ("decision", decision)];
        self.browse(with_cookie(sent("device", &fields), browser)).await
    }

    /// The user types the code and allows the device.
    async fn allow(&self, codes: &Codes, browser: &str) {
        let page = self.enter(&codes.user, browser).await.says(200, "Allow Example on a device?");
        self.decide_on(&page, "allow", browser).await.says(200, "You have allowed it");
    }

    /// Opens the page, with a code in its URL.
    async fn open_device(&self, code: &str, browser: &str) -> Page {
        let query = format!("user_code={code}");
        self.browse(with_cookie(opened("device", &query), browser)).await
    }

    /// The sessions of applications that a user has.
    async fn on_devices(&self, access: &str) -> Vec<Value> {
        let listed = self.as_user(access, sample("list-sessions")).await.ok(200);
        let listed = listed["sessions"].as_array().unwrap().iter();
        listed.filter(|it| it.get("application").is_some()).cloned().collect()
    }
}
