//! Limits, and what fails on our side.

use serde_json::json;

use super::{ASKING, CHOOSING, PAGES, at, opened, sent};
use crate::sessions::ADA;
use crate::support::{Auth, PASSWORD, auth, auth_with};

/// Sends a form, or the request of the same name to the API. Gives the status and `Retry-After`.
async fn tried(auth: &Auth, name: &str, is_form: bool) -> (u16, Option<String>) {
    let token = format!("arsenal_ml_{}", "A".repeat(43));
    let is_asking = ASKING.contains(&name);
    let (status, headers) = if is_form {
        let fields = [("email", ADA), ("token", &token), ("password", PASSWORD)];
        let page =
            auth.browse(sent(name, if is_asking { &fields[..1] } else { &fields[1..] })).await;
        (page.status, page.headers)
    } else {
        let chosen = json!({"token": token, "password": PASSWORD});
        let body = if is_asking { json!({"email": ADA}) } else { chosen };
        let answer = auth.call_with(name, &body).await;
        (answer.status, answer.headers)
    };
    let wait = headers.get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
    (status, wait)
}

#[tokio::test]
async fn forms_and_endpoints_share_one_budget() {
    for name in PAGES {
        for last_is_form in [true, false] {
            let auth = auth_with(2).await;
            for is_form in [!last_is_form, last_is_form] {
                assert_ne!(tried(&auth, name, is_form).await.0, 429, "{name}");
            }
            for is_form in [true, false] {
                let refused = tried(&auth, name, is_form).await;
                assert_eq!(refused, (429, Some("30".into())), "{name} {is_form}");
            }
        }
    }
}

/// Each use of a link hashes a password, so both pages count together, as the endpoints do.
#[tokio::test]
async fn both_pages_of_links_share_one_budget() {
    let auth = auth_with(2).await;
    for (name, status) in CHOOSING.into_iter().zip([422, 422]).chain([("confirm", 429)]) {
        assert_eq!(tried(&auth, name, true).await.0, status, "{name}");
    }
    let answer = auth.browse(sent("reset-password", &[])).await.says(429, "Try again in 30 s.");
    assert!(answer.headers.contains_key("ratelimit"), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_failure_of_ours_is_a_page_without_its_cause() {
    let auth = auth().await;
    let queue = aws_sdk_sqs::Client::new(&auth.aws);
    let url = queue.get_queue_url().queue_name("mails").send().await.unwrap().queue_url.unwrap();
    queue.delete_queue().queue_url(url).send().await.unwrap();
    let failed = auth.browse(sent("register", &[("email", ADA)])).await;
    let failed = failed.says(500, "An internal error occurred").says(500, "JKJaXmPLvHcESHA=");
    assert!(!failed.body.to_lowercase().contains("queue"), "{}", failed.body);

    let dynamodb = aws_sdk_dynamodb::Client::new(&auth.aws);
    dynamodb.delete_table().table_name("requests").send().await.unwrap();
    let failed = auth.browse(sent("register", &[("email", ADA)])).await;
    let failed = failed.says(503, "temporarily unavailable");
    assert_eq!(failed.headers["retry-after"], "5");
    // The pages themselves need neither.
    auth.browse(opened("register", "")).await.says(200, "<form");
}

#[tokio::test]
async fn another_method_or_path_gets_a_page() {
    let auth = auth().await;
    let answer = auth.browse(at("register", "PUT")).await.says(405, "does not take this method");
    let mut allowed: Vec<_> = answer.headers["allow"].to_str().unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    auth.browse(opened("nothing", "")).await.says(404, "Not found");
}
