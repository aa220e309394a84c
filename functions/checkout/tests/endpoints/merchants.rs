//! Merchants' webhook endpoints.

use checkout::merchant::Endpoint;
use futures::future::join_all;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{Ask, Shop, ask, shop};

pub(crate) const WAREHOUSE: &str = "warehouse";

pub(crate) fn put(name: &str, url: &str) -> Ask {
    ask("put-endpoint").about(WAREHOUSE, name).body(&json!({ "url": url }))
}

/// The stored endpoint.
pub(crate) async fn warehouse(s: &Shop) -> Option<Endpoint> {
    let endpoints = s.store.endpoints().await.unwrap();
    endpoints.into_iter().find(|endpoint| endpoint.name.to_string() == WAREHOUSE)
}

pub(crate) async fn listed(s: &Shop) -> Value {
    ask("list-endpoints").of(s).await.ok(200)["endpoints"].clone()
}

#[tokio::test]
async fn an_endpoint_is_put_and_its_secret_is_shown_once() {
    let s = shop().await;
    assert_eq!(listed(&s).await, json!([]));
    let first = ask("put-endpoint").of(&s).await.ok(201);
    let url = "https://1.1.1.1/hooks/orders";
    assert_eq!((&first["name"], &first["url"]), (&json!(WAREHOUSE), &json!(url)));
    let secret = first["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");

    let kept = warehouse(&s).await.unwrap();
    let again = ask("put-endpoint").of(&s).await.ok(200);
    assert_eq!(again, json!({"name": WAREHOUSE, "url": url}), "the same URL keeps the secret");
    let endpoint = warehouse(&s).await;
    assert_eq!(endpoint.as_ref(), Some(&kept));
    let shown = json!([{"name": WAREHOUSE, "url": url, "created_at": "2026-11-21T10:00:00Z"}]);
    assert_eq!(listed(&s).await, shown);

    let moved = put(WAREHOUSE, "https://1.1.1.1/other").of(&s).await.ok(200);
    assert_ne!(moved["secret"].as_str().unwrap(), secret, "another URL, another secret");
    assert_eq!(listed(&s).await.as_array().unwrap().len(), 1);

    for _ in 0..2 {
        let gone = ask("delete-endpoint").of(&s).await;
        assert_eq!((gone.status, &*gone.text), (204, ""));
    }
    assert_eq!(listed(&s).await, json!([]));
    assert_ne!(ask("put-endpoint").of(&s).await.ok(201)["secret"].as_str().unwrap(), secret);
}

#[tokio::test]
async fn an_invalid_endpoint_is_refused() {
    let s = shop().await;
    for url in [
        "http://1.1.1.1/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:password@1.1.1.1/",
        "ftp://1.1.1.1/",
        "hooks",
        "",
    ] {
        let answer = put(WAREHOUSE, url).of(&s).await;
        assert_eq!(answer.problem(), (422, "invalid-webhook"), "{url}");
        assert_eq!(answer.field().0, "url");
    }
    for (body, field) in
        [(json!({}), "url"), (json!({"url": "https://1.1.1.1/", "secret": "mine"}), "secret")]
    {
        let answer = ask("put-endpoint").body(&body).of(&s).await;
        assert_eq!((answer.problem(), answer.field().0), ((422, "invalid-body"), field));
    }
    for name in ["Warehouse", "ware_house", &"w".repeat(41)] {
        let answer = put(name, "https://1.1.1.1/").of(&s).await;
        assert_eq!(answer.problem(), (400, "invalid-parameter"), "{name}");
        assert_eq!(answer.field().0, "name");
    }
    assert_eq!(listed(&s).await, json!([]));

    for number in 0..10 {
        put(&format!("e{number}"), "https://1.1.1.1/").of(&s).await.ok(201);
    }
    let answer = put("e10", "https://1.1.1.1/").of(&s).await;
    assert_eq!(answer.problem(), (409, "too-many-endpoints"));
    put("e9", "https://1.1.1.1/other").of(&s).await.ok(200);
    ask("delete-endpoint").about(WAREHOUSE, "e0").of(&s).await.ok(204);
    put("e10", "https://1.1.1.1/").of(&s).await.ok(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_puts_create_at_most_ten_endpoints_and_each_secret_signs() {
    let s = shop().await;
    let puts = (0..16).map(|n| {
        let s = s.clone();
        // Some names are put twice, with different URLs.
        let put = put(&format!("e{}", n % 12), &format!("https://1.1.1.1/{n}"));
        tokio::spawn(async move {
            loop {
                let answer = put.of(&s).await;
                // "Send the same request again."
                if answer.problem() != (503, "conflicting-writes") {
                    return answer;
                }
            }
        })
    });
    let answers: Vec<_> = join_all(puts).await.into_iter().map(Result::unwrap).collect();
    let kept = s.store.endpoints().await.unwrap();
    assert_eq!(kept.len(), 10);
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 201 | 409), "{}", answer.text);
    }
    for endpoint in kept {
        let answer = answers.iter().find(|answer| {
            answer.body["url"].as_str() == Some(&endpoint.webhook.url) && answer.status < 300
        });
        assert_eq!(
            answer.unwrap().body["secret"].as_str(),
            Some(endpoint.webhook.secret.expose_secret())
        );
    }
}

/// After concurrent puts of one endpoint, a secret in a response is the secret that signs.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_puts_of_one_endpoint_show_one_secret() {
    let s = shop().await;
    let puts = (0..8).map(|_| {
        let s = s.clone();
        tokio::spawn(async move { ask("put-endpoint").of(&s).await })
    });
    let answers: Vec<_> = join_all(puts).await.into_iter().map(Result::unwrap).collect();
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 201 | 503), "{}", answer.text);
    }
    let kept = warehouse(&s).await.unwrap();
    let secrets: Vec<_> =
        answers.iter().filter_map(|answer| answer.body["secret"].as_str()).collect();
    assert_eq!(secrets, [kept.webhook.secret.expose_secret()]);
}
