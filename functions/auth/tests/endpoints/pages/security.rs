//! Markup in fields, and forms of other sites.

use serde_json::{Value, json};

use super::{ASKING, CHOOSING, PAGES, Page, opened, sent};
use crate::sessions::ADA;
use crate::support::{PASSWORD, auth, auth_with};

const MARKUP: [&str; 7] = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "\" autofocus onfocus=\"alert(1)",
    "' onfocus='alert(1)",
    "</style></title><img src=x onerror=alert(1)>",
    "\"><base href=\"//example.net\"><form action=\"//example.net\">",
    "&lt;script&gt;{{ 7 * 7 }}{% raw %}",
];

/// The number of tags of a page.
fn tags(page: &Page) -> usize {
    page.body.matches('<').count()
}

/// [`Page::check`] looks at each page too.
#[tokio::test]
async fn what_somebody_typed_is_text() {
    let auth = auth().await;
    for page in ASKING {
        let plain = auth.browse(sent(page, &[("email", "ada")])).await;
        for markup in MARKUP {
            for field in ["email", "password", "token", markup] {
                let fields = [("email", "ada"), (field, markup)];
                let fields = if field == "email" { &fields[1..] } else { &fields };
                let answer = auth.browse(sent(page, fields)).await.says(422, "Error");
                assert_eq!(tags(&answer), tags(&plain), "{}", answer.body);
                assert!(!answer.body.contains(markup), "{}", answer.body);
            }
            let opened = auth.browse(opened(page, &encoded("email", markup))).await;
            assert!(!opened.body.contains("alert"), "{}", opened.body);
        }
    }
    let token = auth.asked("register", ADA).await;
    for markup in MARKUP {
        let fields = [("token", token.as_str()), ("email", markup), ("password", "a")];
        let answer = auth.browse(sent("confirm", &fields)).await.says(422, "Error");
        assert!(!answer.body.contains(markup), "{}", answer.body);
    }
    // An address may have these characters before the @.
    let odd = "&'=`{{x}}@example.org";
    let answer = auth.browse(sent("register", &[("email", odd)])).await.says(200, "on its way");
    answer.says(200, "&#38;&#39;=`{{x}}@example.org");
}

#[tokio::test]
async fn a_token_with_markup_is_in_no_page() {
    let auth = auth().await;
    let unknown = format!("arsenal_ml_{}", "A".repeat(43));
    for page in CHOOSING {
        for markup in MARKUP {
            for token in
                [markup.to_owned(), format!("{unknown}{markup}"), format!("{markup}{unknown}")]
            {
                let opened = auth.browse(opened(page, &encoded("token", &token))).await;
                let sent = auth.browse(sent(page, &[("token", &token), ("password", "a")])).await;
                for answer in [opened, sent] {
                    assert_eq!(answer.values_of("value"), [""; 0], "{}", answer.body);
                    answer.says(422, "This link does not work");
                }
            }
        }
    }
}

fn encoded(name: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

/// The form with these headers, and no other that names its origin. `""` leaves a header out.
fn from(mut form: Value, site: &str, origin: &str) -> Value {
    for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
        let headers = form["headers"].as_object_mut().unwrap();
        headers.remove(name);
        if !value.is_empty() {
            headers.insert(name.into(), json!(value));
        }
    }
    form
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let auth = auth().await;
    let host = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";
    for page in PAGES {
        for (site, origin, is_ours) in [
            // Browsers say both. Our pages have no referrer, so the origin is hidden.
            ("same-origin", "null", true),
            ("same-origin", "", true),
            ("same-origin", host, true),
            ("none", "null", true),
            ("same-origin", "https://example.net", false),
            ("cross-site", "https://example.net", false),
            ("cross-site", "null", false),
            ("cross-site", "", false),
            ("cross-site", host, false),
            ("same-site", "https://app.amazonaws.com", false),
            ("same-origin, cross-site", "null", false),
            ("Same-Origin", "null", false),
            // Older browsers.
            ("", host, true),
            ("", "https://A1B2C3D4E5.execute-api.eu-central-1.amazonaws.com", true),
            ("", "https://example.net", false),
            ("", "null", false),
            ("", &format!("{host}.example.net"), false),
            ("", &format!("{host}:444"), false),
            ("", &format!("https://example.net/?{host}"), false),
            ("", "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", false),
            // No browser.
            ("", "", true),
        ] {
            let answer = auth.browse(from(sent(page, &[]), site, origin)).await;
            let status = if is_ours { 422 } else { 403 };
            assert_eq!(answer.status, status, "{site:?} {origin:?}: {}", answer.body);
        }
    }
}

/// API Gateway names the domain that the request came to. An application's server in front may set another `Host`.
#[tokio::test]
async fn a_custom_domain_is_our_host() {
    let auth = auth().await;
    let mut form = from(sent("register", &[("email", ADA)]), "", "https://login.example.org");
    assert_eq!(auth.browse(form.clone()).await.status, 403);
    form["requestContext"]["domainName"] = json!("login.example.org");
    assert_eq!(auth.browse(form.clone()).await.status, 200);
    form["headers"]["host"] = json!("login.example.org");
    form["requestContext"]["domainName"] =
        json!("a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com");
    assert_eq!(auth.browse(form).await.status, 200);
}

/// A site that makes its visitors send forms can neither use links nor use up the limits of the visitors.
#[tokio::test]
async fn a_refused_form_of_another_site_changes_nothing() {
    let auth = auth_with(2).await;
    let token = auth.asked_by_page("register", ADA).await;
    let chosen = sent("confirm", &[("token", &token), ("password", PASSWORD)]);
    for _ in 0..3 {
        for form in [chosen.clone(), sent("register", &[("email", ADA)])] {
            let answer = auth.browse(from(form, "cross-site", "https://example.net")).await;
            let answer = answer.says(403, "sent from another site");
            assert!(!answer.headers.contains_key("ratelimit"));
        }
    }
    assert!(auth.jobs().await.is_empty());
    auth.browse(chosen).await.says(200, "Your account exists");
    // Links from anywhere may be opened: that is what they are for.
    let token = auth.asked("forgot-password", ADA).await;
    for page in ["register", "forgot-password", "reset-password"] {
        let opened = from(opened(page, &format!("token={token}")), "cross-site", "");
        assert_eq!(auth.browse(opened).await.status, 200);
    }
}
