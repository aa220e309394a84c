//! Many browsers at once, and failures at each request.

use futures::future::join_all;
use serde_json::json;
use shared::fault;

use super::fake::{Fake, Person};
use super::{ONE, ada, session, with_provider, with_two};
use crate::pages::sent;
use crate::sessions::ADA;
use crate::stream::Table;
use crate::support::{Auth, PASSWORD, sample};

/// The browsers come back, and each is signed in or gets a page.
async fn come_back(
    auth: &Auth,
    browsers: &[(super::OnItsWay, std::collections::BTreeMap<String, String>)],
) -> Vec<super::Page> {
    join_all(browsers.iter().map(|(browser, answer)| auth.comes_back(browser, answer))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_callbacks_at_once_with_a_new_identity_one_makes_the_account() {
    let (auth, fake) = with_provider().await;
    let mut browsers = Vec::new();
    for _ in 0..16 {
        let browser = auth.goes(ONE, &[]).await;
        let answer = fake.sign_in(&browser.url, &ada());
        browsers.push((browser, answer));
    }
    let pages = come_back(&auth, &browsers).await;
    let is_signed_in = |page: &&super::Page| page.body.contains("signed in as ada@example.org");
    let signed_in = pages.iter().filter(is_signed_in).count();
    // One that was too late in each of its tries may come again.
    assert!(signed_in >= 1 && pages.iter().all(|it| it.status == 503 || is_signed_in(&it)));
    assert_eq!(auth.counted().await, [1, 1, 1]);
    assert_eq!(auth.items("USER#", "SESSION#").await.len(), signed_in);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_callbacks_of_one_attempt_at_once_one_is_used() {
    let (auth, fake) = with_provider().await;
    let browser = auth.goes(ONE, &[]).await;
    let answer = fake.sign_in(&browser.url, &ada());
    let pages = come_back(&auth, &vec![(browser, answer); 16]).await;
    let mut statuses: Vec<_> = pages.iter().map(|page| page.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[422; 15][..]));
    assert_eq!((auth.items("USER#", "SESSION#").await.len(), fake.asked("/token")), (1, 1));
}

/// One makes the account. For the other it is one that exists: it gets a mail.
#[tokio::test(flavor = "multi_thread")]
async fn two_providers_with_one_new_address_at_once_make_one_account() {
    let (auth, one, two) = with_two().await;
    let mut browsers = Vec::new();
    for number in 0..8 {
        let (fake, provider) = if number % 2 == 0 { (&one, ONE) } else { (&two, "two") };
        let browser = auth.goes(provider, &[]).await;
        let answer = fake.sign_in(&browser.url, &ada());
        browsers.push((browser, answer));
    }
    let pages = come_back(&auth, &browsers).await;
    let says = |text: &str| pages.iter().filter(|page| page.body.contains(text)).count();
    assert_eq!(auth.counted().await, [1, 1, 1]);
    assert!(says("signed in as ada@example.org") <= 4 && says("Look at your mailbox") <= 4);
}

/// Ada's account with a password, and the token of a link to her identity.
async fn with_link(auth: &Auth, fake: &Fake, person: &Person) -> String {
    auth.signs_in(fake, ONE, person).await.says(200, "Look at your mailbox");
    auth.deliver_mails().await;
    auth.mails(ADA).await.pop().unwrap().token().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_uses_of_a_link_at_once_one_links() {
    let (auth, fake) = with_provider().await;
    auth.register(ADA).await;
    let token = with_link(&auth, &fake, &ada()).await;
    let form = || sent("link-identity", &[("token", &token)]);
    let pages = join_all((0..16).map(|_| auth.browse(form()))).await;
    assert_eq!(pages.iter().filter(|page| page.status == 200).count(), 1);
    assert!(pages.iter().all(|page| [200, 409, 422, 503].contains(&page.status)));
    assert_eq!(auth.counted().await, [1, 1, 1]);
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
}

/// A link and a deletion at once: whoever is first, nothing of the user is left.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_is_linked_during_a_deletion_is_forgotten() {
    for _ in 0..4 {
        let (auth, fake) = with_provider().await;
        auth.register(ADA).await;
        let tokens = auth.signed_in(ADA).await;
        let token = with_link(&auth, &fake, &ada()).await;
        let mut table = Table::of(&auth).await;
        table.streamed().await;
        let link = auth.browse(sent("link-identity", &[("token", &token)]));
        let mut deletion = sample("delete-me");
        deletion["body"] = json!(json!({"current_password": PASSWORD}).to_string());
        let (linked, deleted) = tokio::join!(link, auth.as_user(&tokens.access, deletion));
        assert_eq!(deleted.status, 204, "{}", deleted.body);
        assert!([200, 422].contains(&linked.status), "{}", linked.body);
        table.streamed().await;
        assert_eq!(auth.counted().await, [0, 0, 0]);
    }
}

/// Somebody begins anew before the former account is forgotten, which then takes nothing away.
#[tokio::test]
async fn a_user_who_was_deleted_begins_anew_at_once() {
    let (auth, fake) = with_provider().await;
    auth.register(ADA).await;
    let tokens = auth.signed_in(ADA).await;
    let token = with_link(&auth, &fake, &ada()).await;
    auth.browse(sent("link-identity", &[("token", &token)])).await.says(200, "It is done");
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let mut deletion = sample("delete-me");
    deletion["body"] = json!(json!({"current_password": PASSWORD}).to_string());
    auth.as_user(&tokens.access, deletion).await.ok(204);
    assert_eq!(auth.counted().await, [0, 1, 1]);

    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
    assert_eq!(auth.counted().await, [1, 1, 2]);
    table.streamed().await;
    assert_eq!(auth.counted().await, [1, 1, 1], "the former identity is forgotten");
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
}

/// Wherever it fails, the user can begin again, and there is one account with one identity.
#[tokio::test]
async fn a_callback_that_fails_anywhere_makes_one_account_or_none() {
    let passed = fault::walk(async |run: fault::Run| {
        let (auth, fake) = with_provider().await;
        // What is read of the provider is kept, and one request at a time reads it: a stalled one would stop the others.
        let bob = Person::new("subject of Bob", "bob@example.org");
        auth.signs_in(&fake, ONE, &bob).await.says(200, "signed in as bob@example.org");
        let browser = auth.goes(ONE, &[]).await;
        let answer = fake.sign_in(&browser.url, &ada());
        let first = run.attempt(auth.comes_back(&browser, &answer)).await;
        let [accounts, subjects, identities] = auth.counted().await;
        assert_eq!([subjects, identities], [accounts; 2]);
        auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as ada@example.org");
        first.resume().await;
        assert_eq!(auth.counted().await, [2, 2, 2]);
        let page = auth.signs_in(&fake, ONE, &ada()).await;
        session(&page);
    })
    .await;
    for point in ["attempts.use", "provider.tokens", "identities.create", "sessions.begin"] {
        assert!(passed.contains(&point), "{passed:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_fails_anywhere_can_be_begun_again() {
    fault::walk(async |run: fault::Run| {
        let (auth, fake) = with_provider().await;
        auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
        let browser = auth.goes(ONE, &[]).await;
        let answer = fake.sign_in(&browser.url, &ada());
        run.attempt(auth.comes_back(&browser, &answer)).await.resume().await;
        let sessions = auth.items("USER#", "SESSION#").await.len();
        assert!((1..=2).contains(&sessions), "{sessions}");
        auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
        assert_eq!(auth.counted().await, [1, 1, 1]);
    })
    .await;
}

#[tokio::test]
async fn a_mail_to_link_that_fails_anywhere_can_be_asked_for_again() {
    let passed = fault::walk(async |run: fault::Run| {
        let (auth, fake) = with_provider().await;
        auth.register(ADA).await;
        let browser = auth.goes(ONE, &[]).await;
        let answer = fake.sign_in(&browser.url, &ada());
        run.attempt(auth.comes_back(&browser, &answer)).await.resume().await;
        let token = with_link(&auth, &fake, &ada()).await;
        auth.browse(sent("link-identity", &[("token", &token)])).await.says(200, "It is done");
        assert_eq!(auth.counted().await, [1, 1, 1]);
    })
    .await;
    assert!(passed.contains(&"queue.send"), "{passed:?}");
}

#[tokio::test]
async fn a_use_of_a_link_that_fails_anywhere_links_or_not() {
    let passed = fault::walk(async |run: fault::Run| {
        let (auth, fake) = with_provider().await;
        auth.register(ADA).await;
        let token = with_link(&auth, &fake, &ada()).await;
        let form = || sent("link-identity", &[("token", &token)]);
        run.attempt(auth.browse(form())).await.resume().await;
        let [_, subjects, identities] = auth.counted().await;
        assert_eq!(subjects, identities);
        // The link is good exactly if it was not used.
        let again = auth.browse(form()).await;
        assert_eq!(again.status == 200, identities == 0, "{}", again.body);
        auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
        assert_eq!(auth.counted().await, [1, 1, 1]);
    })
    .await;
    assert!(passed.contains(&"identities.link"), "{passed:?}");
}

/// Of links to one identity for two accounts, one counts: the addresses have changed at the provider in between.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_has_one_user() {
    let (auth, fake) = with_provider().await;
    let mut tokens = Vec::new();
    for email in [ADA, "bob@example.org"] {
        auth.register(email).await;
        let person = Person::new("one subject", email);
        auth.signs_in(&fake, ONE, &person).await.says(200, "Look at your mailbox");
        auth.deliver_mails().await;
        tokens.push(auth.mails(email).await.pop().unwrap().token().to_owned());
    }
    let links = tokens.iter().map(|token| auth.browse(sent("link-identity", &[("token", token)])));
    let pages = join_all(links).await;
    assert_eq!(pages.iter().filter(|page| page.status == 200).count(), 1);
    assert_eq!(auth.counted().await, [2, 1, 1]);
}
