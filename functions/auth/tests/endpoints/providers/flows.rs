//! What people do with outside providers.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use super::fake::{CLIENT, Fake, Key, Person};
use super::{ONE, ada, secrets, session, with_key, with_provider, with_two};
use crate::factor_support::with_factor;
use crate::oauth::{asks, with_app};
use crate::pages::{opened, sent};
use crate::sessions::ADA;
use crate::support::{Auth, PASSWORD, auth, sample};

#[tokio::test]
async fn the_page_of_the_sign_in_has_a_button_for_each_provider() {
    let (auth, _, _) = with_two().await;
    let page = auth.browse(opened("sign-in", "")).await;
    let page = page.says(200, "<button class=\"other\" name=\"provider\" value=\"one\">Sign in with Provider one</button>");
    assert!(page.body.contains("Sign in with Provider two"));
    let page = crate::support::auth().await.browse(opened("sign-in", "")).await;
    assert!(!page.body.contains("sign-in-with"), "without a provider, nothing is new");
}

#[tokio::test]
async fn a_new_user_gets_an_account_and_comes_back_to_it() {
    for key in [Key::rsa("key 1"), Key::ec("key 1")] {
        let (auth, fake) = with_key(key).await;
        let page =
            auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
        assert!(session(&page).starts_with("__Host-arsenal=arsenal_bs_"));
        let account = auth.account_of(ADA).await.unwrap();
        assert!(account.password_hash.is_none());
        assert_eq!(
            account.user.clone().in_own_tenant().scopes().join(" "),
            "account audit:read documents:read documents:write orders:read orders:write"
        );

        auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
        assert_eq!(auth.account_of(ADA).await.unwrap().user, account.user);
        assert_eq!(auth.counted().await, [1, 1, 1]);
        assert_eq!(auth.items("USER#", "SESSION#").await.len(), 2);
        assert!(auth.jobs().await.is_empty(), "no mail");
    }
}

/// The subject says who it is, and not the address.
#[tokio::test]
async fn an_identity_stays_with_its_user_when_its_address_changes() {
    let (auth, fake) = with_provider().await;
    auth.signs_in(&fake, ONE, &ada()).await.says(200, ADA);
    auth.register("bob@example.org").await;
    for email in [json!("bob@example.org"), json!(null), json!("no address")] {
        let changed = Person { email, email_verified: json!(false), ..ada() };
        auth.signs_in(&fake, ONE, &changed).await.says(200, "signed in as ada@example.org");
    }
    // Somebody else who has the former address there gets a mail, and not the account.
    let other = Person::new("another subject", ADA);
    auth.signs_in(&fake, ONE, &other).await.says(200, "Look at your mailbox");
}

/// The password of such an account costs and says what that of an unknown address does.
#[tokio::test]
async fn an_account_without_a_password_has_none_until_its_user_chooses_one_by_mail() {
    let (auth, fake) = with_provider().await;
    auth.signs_in(&fake, ONE, &ada()).await.says(200, ADA);
    let unknown = auth.requests.during(auth.sign_in("bob@example.org", PASSWORD)).await;
    let known = auth.requests.during(auth.sign_in(ADA, PASSWORD)).await;
    assert_eq!(known.0.problem(), (401, "invalid-credentials"));
    assert_eq!((known.0.body, known.1), (unknown.0.body, unknown.1));

    let token = auth.asked("forgot-password", ADA).await;
    let chosen = json!({"token": token, "password": PASSWORD});
    auth.call_with("reset-password", &chosen).await.ok(204);
    auth.sign_in(ADA, PASSWORD).await.ok(200);
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
}

/// Who has no password cannot give it, and learns what to do.
#[tokio::test]
async fn what_needs_the_password_says_that_there_is_none() {
    let (auth, fake) = with_provider().await;
    auth.signs_in(&fake, ONE, &ada()).await.says(200, ADA);
    let token = auth.asked("forgot-password", ADA).await;
    let chosen = json!({"token": token, "password": PASSWORD});
    auth.call_with("reset-password", &chosen).await.ok(204);
    let tokens = auth.signed_in(ADA).await;
    without_password(&auth).await;
    for name in ["delete-me", "change-password", "enrol-totp"] {
        let refused = auth.as_user(&tokens.access, sample(name)).await;
        assert_eq!(refused.problem(), (422, "wrong-password"));
        let detail = refused.body["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("forgot-password"), "{}", refused.body);
    }
}

async fn without_password(auth: &Auth) {
    let user = auth.account_of(ADA).await.unwrap().user.id;
    aws_sdk_dynamodb::Client::new(&auth.aws)
        .update_item()
        .table_name("auth")
        .key("pk", AttributeValue::S(format!("USER#{user}")))
        .key("sk", AttributeValue::S("ACCOUNT".into()))
        .update_expression("REMOVE password_hash")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_account_that_exists_is_linked_by_its_mail_only() {
    let (auth, fake) = with_provider().await;
    auth.register(ADA).await;
    let page = auth.signs_in(&fake, ONE, &ada()).await;
    assert!(
        !page.cookies.iter().any(|it| it.starts_with("__Host-arsenal=")),
        "nobody is signed in"
    );
    page.says(200, "A mail to this address is on its way");
    assert_eq!(auth.counted().await, [1, 0, 0]);

    assert_eq!(auth.deliver_mails().await, 1);
    let mail = auth.mails(ADA).await.pop().unwrap();
    assert_eq!(mail.subject, "Sign in with Provider one");
    assert!(
        mail.body_text.contains("https://auth.example.org/auth/link-identity?token="),
        "our page"
    );
    let query = format!("token={}", mail.token());
    for _ in 0..3 {
        let form = auth.browse(opened("link-identity", &query)).await;
        form.says(200, "is signed in as ada@example.org here");
    }
    assert_eq!(auth.counted().await, [1, 0, 0], "opening it changes nothing");
    let form = || sent("link-identity", &[("token", mail.token())]);
    auth.browse(form()).await.says(200, "You can sign in with Provider one now");
    auth.browse(form()).await.says(422, "This link does not work");
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
    auth.sign_in(ADA, PASSWORD).await.ok(200);
    assert_eq!(auth.counted().await, [1, 1, 1]);
}

/// All spellings of an address are one, also those that a provider writes.
#[tokio::test]
async fn every_spelling_of_an_address_is_that_of_the_account() {
    let (auth, fake) = with_provider().await;
    auth.register("ada@xn--bcher-kva.example").await;
    let spellings = [
        "ada@bücher.example",
        "ADA@BÜCHER.example",
        "ada@bu\u{308}cher.example",
        " Ada@xn--bcher-kva.example",
    ];
    for (number, email) in spellings.into_iter().enumerate() {
        let person = Person::new(&format!("subject {number}"), email);
        auth.signs_in(&fake, ONE, &person).await.says(200, "ada@xn--bcher-kva.example already");
    }
    assert_eq!(auth.counted().await, [1, 0, 0]);
}

#[tokio::test]
async fn a_link_of_a_mail_is_for_one_purpose_and_ends_with_the_password() {
    let (auth, fake) = with_provider().await;
    auth.register(ADA).await;
    let tokens = [0, 1].map(|number| Person::new(&format!("subject {number}"), ADA));
    let mut links = Vec::new();
    for person in &tokens {
        auth.signs_in(&fake, ONE, person).await.says(200, "Look at your mailbox");
        auth.deliver_mails().await;
        links.push(auth.mails(ADA).await.pop().unwrap().token().to_owned());
    }
    for name in ["confirm", "reset-password"] {
        let other = json!({"token": links[0], "password": PASSWORD});
        assert_eq!(auth.call_with(name, &other).await.problem(), (422, "invalid-link"));
    }
    let reset = auth.asked("forgot-password", ADA).await;
    auth.browse(sent("link-identity", &[("token", &reset)])).await.says(422, "does not work");
    auth.browse(sent("link-identity", &[("token", &links[0])])).await.says(200, "It is done");
    let chosen = json!({"token": reset, "password": PASSWORD});
    auth.call_with("reset-password", &chosen).await.ok(204);
    auth.browse(sent("link-identity", &[("token", &links[1])])).await.says(422, "does not work");
    assert_eq!(auth.counted().await, [1, 1, 1]);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_after_the_provider_too() {
    let (mut auth, _, phone) = with_factor().await;
    let fake = Fake::start(&auth.clock, Key::ec("key 1")).await;
    auth.offer(&json!([fake.entry(ONE)]).to_string(), &secrets(&[ONE]));
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "Look at your mailbox");
    auth.deliver_mails().await;
    let token = auth.mails(ADA).await.pop().unwrap().token().to_owned();
    auth.browse(sent("link-identity", &[("token", &token)])).await.says(200, "It is done");

    let page = auth.signs_in(&fake, ONE, &ada()).await.says(200, "Enter a code");
    assert!(!page.cookies.iter().any(|it| it.starts_with("__Host-arsenal=")));
    assert_eq!(page.values_of("action"), ["../sign-in-code"]);
    let challenge = page.values_of("value")[1].to_owned();
    let answer = |code: &str| sent("sign-in-code", &[("challenge", &challenge), ("code", code)]);
    auth.browse(answer(&phone.wrong(&auth))).await.says(422, "This code is wrong");
    auth.browse(answer(&phone.code(&auth, 0))).await.says(200, "signed in as ada@example.org");
}

#[tokio::test]
async fn a_user_of_a_provider_goes_on_to_the_application_or_the_device() {
    let (mut auth, _, app) = with_app(&json!({})).await;
    let fake = Fake::start(&auth.clock, Key::ec("key 1")).await;
    auth.offer(&json!([fake.entry(ONE)]).to_string(), &secrets(&[ONE]));
    let query = asks(&app, &[]);
    let page = auth.open(&query, "").await.says(200, "Sign in with Provider one");
    let request = super::unescaped(page.values_of("value")[0]);
    let browser = auth.goes(ONE, &[("request", &request)]).await;
    assert!(!browser.url.contains("prompt="));
    let answer = fake.sign_in(&browser.url, &Person::new("somebody new", "bob@example.org"));
    let page = auth.comes_back(&browser, &answer).await;
    assert_eq!(page.status, 303, "{}", page.body);
    let location = page.headers["location"].to_str().unwrap();
    let query = location.strip_prefix("../authorize?").unwrap();
    auth.open(query, &session(&page)).await.says(200, "Allow Example?");

    // An application that wants the user to prove anew who it is.
    let page = auth.open(&asks(&app, &[("prompt", "login")]), "").await;
    let request = super::unescaped(page.values_of("value")[0]);
    let browser = auth.goes(ONE, &[("request", &request)]).await;
    assert!(browser.url.ends_with("&prompt=login"), "{}", browser.url);

    let browser = auth.goes(ONE, &[("device", "WDJB-MJHT")]).await;
    let answer = fake.sign_in(&browser.url, &Person::new("somebody new", "bob@example.org"));
    let page = auth.comes_back(&browser, &answer).await;
    assert_eq!(page.headers["location"], "../device?user_code=WDJB-MJHT");
}

#[tokio::test]
async fn a_request_that_is_too_long_for_a_cookie_is_refused() {
    let (mut auth, _, app) = with_app(&json!({})).await;
    let fake = Fake::start(&auth.clock, Key::ec("key 1")).await;
    auth.offer(&json!([fake.entry(ONE)]).to_string(), &secrets(&[ONE]));
    let request = asks(&app, &[("state", &"a".repeat(4_000))]);
    let form = sent("sign-in-with", &[("provider", ONE), ("request", &request)]);
    let page = auth.browse_toward(form, crate::oauth::HOST).await;
    page.says(422, "too long for this");
}

/// A provider may tell the address only at the endpoint of the user's data, and may want the secret in the form.
#[tokio::test]
async fn an_address_may_come_from_the_endpoint_of_the_users_data() {
    let (auth, fake) = with_provider().await;
    fake.state().tells_apart = true;
    fake.state().metadata =
        json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
    assert_eq!(fake.asked("/userinfo"), 1);
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
    assert_eq!(fake.asked("/userinfo"), 1, "a known identity needs no address");
    assert_eq!(fake.asked("/keys") + fake.asked("/.well-known/openid-configuration"), 2);
}

#[tokio::test]
async fn two_providers_with_one_address_are_two_identities_of_one_account() {
    let (auth, one, two) = with_two().await;
    auth.signs_in(&one, ONE, &ada()).await.says(200, "signed in as ada@example.org");
    auth.signs_in(&two, "two", &ada()).await.says(200, "Look at your mailbox");
    auth.deliver_mails().await;
    let token = auth.mails(ADA).await.pop().unwrap().token().to_owned();
    auth.browse(sent("link-identity", &[("token", &token)])).await.says(200, "It is done");
    auth.signs_in(&two, "two", &ada()).await.says(200, "signed in as ada@example.org");
    assert_eq!(auth.counted().await, [1, 2, 2]);
}

#[tokio::test]
async fn users_of_github_sign_in_with_their_primary_proved_address() {
    let mut auth = auth().await;
    let fake = Fake::start(&auth.clock, Key::ec("key 1")).await;
    let issuer = format!("{}/login/oauth", fake.issuer());
    let entry = json!({"id": "github", "name": "Provider GitHub", "kind": "github", "issuer": issuer, "client_id": CLIENT});
    auth.offer(&json!([entry]).to_string(), &secrets(&["github"]));
    let person = Person::new("583231", ADA);
    let signs_in = async |person: &Person, iss: &str| {
        let browser = auth.goes("github", &[]).await;
        assert!(browser.url.starts_with(&format!("{issuer}/authorize?scope=user%3Aemail&")));
        let mut answer = fake.sign_in(&browser.url, person);
        answer.insert("iss".into(), iss.into());
        auth.comes_back(&browser, &answer).await
    };
    let unproved = Person { email_verified: json!(false), ..person.clone() };
    signs_in(&unproved, &issuer).await.says(422, "an e-mail address of yours that it has proved");
    signs_in(&person, &issuer).await.says(200, "signed in as ada@example.org");
    signs_in(&unproved, "").await.says(200, "signed in as ada@example.org");
    signs_in(&person, "https://github.com").await.says(502, "in a way that we do not understand");
    assert_eq!(auth.counted().await, [1, 1, 1]);
}
