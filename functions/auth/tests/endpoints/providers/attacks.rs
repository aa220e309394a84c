//! What a thief, a liar or another site may try.

use std::collections::BTreeMap;

use auth::provider::attempt::LIFETIME;
use serde_json::{Value, json};

use super::fake::{CLIENT, Key, Lie, Person};
use super::{ONE, OnItsWay, ada, back, with_key, with_provider, with_two};
use crate::pages::sent;
use crate::sessions::{advance, before};
use crate::support::auth_with;

const LIES: [(&str, Lie); 20] = [
    ("no signature", |header, _| header["alg"] = json!("none")),
    ("a secret that everybody knows", |header, _| header["alg"] = json!("HS256")),
    ("an algorithm that we do not take", |header, _| header["alg"] = json!("RS512")),
    ("the algorithm of another key", |header, _| {
        header["alg"] = json!(if header["alg"] == "RS256" { "ES256" } else { "RS256" });
    }),
    ("a key that is not there", |header, _| header["kid"] = json!("key 9")),
    ("what a reader must understand", |header, _| header["crit"] = json!(["exp"])),
    ("another issuer", |_, claims| claims["iss"] = json!("https://accounts.example.org")),
    ("our issuer with a slash", |_, claims| {
        claims["iss"] = json!(format!("{}/", claims["iss"].as_str().unwrap()));
    }),
    ("another audience", |_, claims| claims["aud"] = json!("another client")),
    ("two audiences", |_, claims| claims["aud"] = json!([CLIENT, "another client"])),
    ("no audience", |_, claims| claims["aud"] = json!([])),
    ("another client", |_, claims| claims["azp"] = json!("another client")),
    ("another nonce", |_, claims| claims["nonce"] = json!("another nonce")),
    ("no nonce", |_, claims| drop(claims.as_object_mut().unwrap().remove("nonce"))),
    ("expired", |_, claims| claims["exp"] = claims["iat"].clone()),
    ("no expiry", |_, claims| drop(claims.as_object_mut().unwrap().remove("exp"))),
    ("issued before the attempt", |_, claims| later(claims, -61)),
    ("of the future", |_, claims| later(claims, 61)),
    ("nobody", |_, claims| claims["sub"] = json!("")),
    ("a number for a subject", |_, claims| claims["sub"] = json!(7)),
];

fn later(claims: &mut Value, seconds: i64) {
    claims["iat"] = json!(claims["iat"].as_i64().unwrap() + seconds);
}

#[tokio::test]
async fn a_token_that_is_not_for_this_sign_in_is_refused() {
    for key in [Key::rsa("key 1"), Key::ec("key 1")] {
        let (auth, fake) = with_key(key).await;
        for (name, lie) in LIES {
            fake.state().lie = lie;
            let page = auth.signs_in(&fake, ONE, &ada()).await;
            assert_eq!(page.status, 502, "{name}: {}", page.body);
            page.says(502, "in a way that we do not understand");
        }
        assert_eq!(auth.counted().await, [0, 0, 0]);
        fake.state().lie = |_, claims| claims["aud"] = json!([CLIENT]);
        auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    }
}

#[tokio::test]
async fn the_times_of_a_token_are_checked_to_the_second() {
    let (auth, fake) = with_provider().await;
    let good: [Lie; 3] = [
        |_, claims| later(claims, -60),
        |_, claims| later(claims, 60),
        |_, claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 1),
    ];
    for lie in good {
        fake.state().lie = lie;
        auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    }
}

/// Another provider, and whoever has read the table, has a key with the same name.
#[tokio::test]
async fn a_key_that_the_provider_does_not_publish_signs_nothing() {
    let (auth, fake) = with_provider().await;
    fake.state().keys.push(Key::ec("key 1"));
    fake.state().signs = 1;
    auth.signs_in(&fake, ONE, &ada()).await.says(502, "");
    // Which of two keys with one name it is, nobody can say.
    fake.state().published = 2;
    for signs in [0, 1] {
        fake.state().signs = signs;
        advance(&auth, std::time::Duration::from_hours(1));
        auth.signs_in(&fake, ONE, &ada()).await.says(502, "");
    }
    assert_eq!(auth.counted().await, [0, 0, 0]);
}

/// A token may leave the name out if the provider has one key (Core 1.0, section 10.1).
#[tokio::test]
async fn a_token_without_the_name_of_its_key_counts_if_there_is_one_key() {
    let (auth, fake) = with_provider().await;
    fake.state().lie = |header, _| drop(header.as_object_mut().unwrap().remove("kid"));
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    fake.state().keys.push(Key::ec("key 2"));
    fake.state().published = 2;
    advance(&auth, std::time::Duration::from_hours(1));
    auth.signs_in(&fake, ONE, &ada()).await.says(502, "");
}

#[tokio::test]
async fn a_user_whose_address_is_not_proved_gets_no_account() {
    let (auth, fake) = with_provider().await;
    auth.register("bob@example.org").await;
    for (email, email_verified) in [
        (json!("ada@example.org"), json!(false)),
        (json!("ada@example.org"), json!("true")),
        (json!("ada@example.org"), json!(1)),
        (json!("ada@example.org"), json!(null)),
        (json!("bob@example.org"), json!(false)),
        (json!(null), json!(true)),
        (json!("ada"), json!(true)),
        (json!("zoë@example.org"), json!(true)),
        // Its normal form has the letter k.
        (json!("mi\u{212a}e@example.org"), json!(true)),
    ] {
        let person = Person { subject: "x".into(), email, email_verified };
        for tells_apart in [false, true] {
            fake.state().tells_apart = tells_apart;
            let page = auth.signs_in(&fake, ONE, &person).await;
            page.says(422, "has not told us an e-mail address of yours that it has proved");
        }
    }
    assert_eq!(auth.counted().await, [1, 0, 0]);
    assert!(auth.jobs().await.is_empty());
}

/// The user's data could be of another user (Core 1.0, section 5.3.2).
#[tokio::test]
async fn the_data_of_another_user_is_refused() {
    let (auth, fake) = with_provider().await;
    fake.state().tells_apart = true;
    fake.state().lie = |_, claims| claims["sub"] = json!("another subject");
    auth.signs_in(&fake, ONE, &ada()).await.says(502, "");
    assert_eq!(auth.counted().await, [0, 0, 0]);
}

/// A thief who signs in with the thief's own account makes the victim's browser come back with the answer.
#[tokio::test]
async fn an_answer_is_good_only_in_the_browser_that_began() {
    let (auth, fake) = with_provider().await;
    let thief = auth.goes(ONE, &[]).await;
    let answer = fake.sign_in(&thief.url, &ada());
    let victim = auth.goes(ONE, &[]).await;
    let refused = "This sign-in does not work";
    for cookie in [victim.cookie.as_str(), "", "__Host-arsenal-attempt=", &thief.cookie[..60]] {
        let browser = OnItsWay { cookie: cookie.to_owned(), ..thief.clone() };
        auth.comes_back(&browser, &answer).await.says(422, refused);
    }
    let both = format!("{}; {}", victim.cookie, thief.cookie);
    let browser = OnItsWay { cookie: both, ..thief.clone() };
    auth.comes_back(&browser, &answer).await.says(422, refused);
    for altered in ["", "x"] {
        let mut other = answer.clone();
        other.insert("state".into(), altered.into());
        auth.comes_back(&thief, &other).await.says(422, refused);
    }
    let query = format!("code=x&state={}&state=y", answer["state"]);
    auth.browse(back(ONE, &query, &thief.cookie)).await.says(422, refused);
    auth.browse(back(ONE, "code=%FF", &thief.cookie)).await.says(422, refused);
    assert_eq!((auth.counted().await, fake.asked("/token")), ([0, 0, 0], 0));
    // None of this has used the attempt.
    auth.comes_back(&thief, &answer).await.says(200, "signed in as");
}

#[tokio::test]
async fn an_attempt_is_good_once() {
    let (auth, fake) = with_provider().await;
    let browser = auth.goes(ONE, &[]).await;
    let answer = fake.sign_in(&browser.url, &ada());
    auth.comes_back(&browser, &answer).await.says(200, "signed in as");
    let mut again = answer.clone();
    again.insert("code".into(), fake.sign_in(&browser.url, &ada())["code"].clone());
    for answer in [&answer, &again] {
        let page = auth.comes_back(&browser, answer).await.says(422, "does not work");
        assert!(page.cookies.is_empty());
    }
    assert_eq!(fake.asked("/token"), 1);
}

#[tokio::test]
async fn an_attempt_expires_to_the_second() {
    let (auth, fake) = with_provider().await;
    for (time, status) in [(before(LIFETIME), 200), (LIFETIME, 422)] {
        let browser = auth.goes(ONE, &[]).await;
        let answer = fake.sign_in(&browser.url, &ada());
        advance(&auth, time);
        auth.comes_back(&browser, &answer).await.says(status, "");
    }
}

/// A provider that a thief controls passes a code of an honest one as its own, or its own as that of the honest one (RFC 9700, 4.4).
#[tokio::test]
async fn a_provider_cannot_pass_as_another_one() {
    let (auth, one, two) = with_two().await;
    let browser = auth.goes(ONE, &[]).await;
    let answer = one.sign_in(&browser.url, &ada());
    let elsewhere = OnItsWay { provider: "two", ..browser.clone() };
    auth.comes_back(&elsewhere, &answer).await.says(422, "This sign-in does not work");
    assert_eq!(two.asked("/token"), 0, "no other provider gets the code");

    let named = |iss: &str| -> BTreeMap<_, _> {
        answer.clone().into_iter().chain([("iss".to_owned(), iss.to_owned())]).collect()
    };
    auth.comes_back(&browser, &named(&two.issuer())).await.says(502, "do not understand");
    // One that says that it names itself must do so.
    for (announced, status) in [(false, 200), (true, 502)] {
        let (auth, one) = with_provider().await;
        one.state().metadata = json!({"authorization_response_iss_parameter_supported": announced});
        let browser = auth.goes(ONE, &[]).await;
        let mut answer = one.sign_in(&browser.url, &ada());
        answer.remove("iss");
        auth.comes_back(&browser, &answer).await.says(status, "");
    }
}

#[tokio::test]
async fn only_our_own_form_begins_an_attempt() {
    let (auth, fake) = with_provider().await;
    let mut form = sent("sign-in-with", &[("provider", ONE)]);
    form["headers"]["sec-fetch-site"] = json!("cross-site");
    let page = auth.browse(form).await.says(403, "sent from another site");
    assert!(page.cookies.is_empty());
    for provider in ["", "two", "../one", "ONE"] {
        let page = auth.browse(sent("sign-in-with", &[("provider", provider)])).await;
        page.says(422, "This sign-in does not work");
    }
    assert_eq!(fake.asked("/.well-known/openid-configuration"), 0);
}

#[tokio::test]
async fn attempts_from_one_address_are_limited() {
    let mut auth = auth_with(3).await;
    let fake = super::Fake::start(&auth.clock, Key::ec("key 1")).await;
    auth.offer(&json!([fake.entry(ONE)]).to_string(), &super::secrets(&[ONE]));
    for status in [200, 200, 200, 429] {
        let page = auth.browse(sent("sign-in-with", &[("provider", ONE)])).await;
        assert_eq!(page.status, status);
    }
}

#[tokio::test]
async fn the_table_has_no_secret_of_an_attempt() {
    let (auth, fake) = with_provider().await;
    let browser = auth.goes(ONE, &[]).await;
    let answer = fake.sign_in(&browser.url, &ada());
    auth.comes_back(&browser, &answer).await.says(200, "signed in as");
    let items = json!(auth.items("", "").await).to_string();
    assert!(items.contains("ATTEMPT#") && !items.contains("arsenal_op_"), "{items}");
    let page = auth.goes(ONE, &[]).await;
    let (_, text) = page.cookie.split_once('=').unwrap();
    assert!(!page.url.contains(text));
}
