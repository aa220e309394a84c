//! The identities of a user: listed, exported, removed, audited and limited.

use auth::identity::MAX_IDENTITIES;
use serde_json::{Value, json};
use shared::fault;

use super::fake::{Fake, Person};
use super::{ONE, ada, with_provider};
use crate::audit::{kinds, tenant_of};
use crate::pages::sent;
use crate::sessions::ADA;
use crate::stream::{Table, record};
use crate::support::{Auth, Tokens, sample};

impl Auth {
    /// The identities of a user.
    async fn identities(&self, tokens: &Tokens) -> Vec<Value> {
        let listed = self.as_user(&tokens.access, sample("list-identities")).await.ok(200);
        listed["identities"].as_array().unwrap().clone()
    }
}

fn removal(id: &str) -> Value {
    let event = sample("remove-identity").to_string();
    serde_json::from_str(&event.replace("idn_01M7YRRT800000000000000002", id)).unwrap()
}

/// Ada, who has a password and is linked to the person.
async fn linked(auth: &Auth, fake: &Fake, person: &Person) -> super::Page {
    auth.signs_in(fake, ONE, person).await.says(200, "Look at your mailbox");
    auth.deliver_mails().await;
    let token = auth.mails(ADA).await.pop().unwrap().token().to_owned();
    auth.browse(sent("link-identity", &[("token", &token)])).await
}

async fn with_identity() -> (Auth, Fake, Tokens) {
    let (auth, fake) = Box::pin(with_provider()).await;
    auth.register(ADA).await;
    let tokens = auth.signed_in(ADA).await;
    linked(&auth, &fake, &ada()).await.says(200, "It is done");
    (auth, fake, tokens)
}

#[tokio::test]
async fn a_user_lists_exports_and_removes_identities() {
    let (auth, fake, tokens) = with_identity().await;
    let identities = auth.identities(&tokens).await;
    let id = identities[0]["id"].as_str().unwrap();
    let expected = json!([{
        "id": id, "provider": "one", "subject": "subject of Ada", "linked_at": "2026-11-21T10:00:00Z",
        "client": identities[0]["client"],
    }]);
    assert_eq!(json!(identities), expected);
    let export = auth.as_user(&tokens.access, sample("export-me")).await.ok(200);
    assert_eq!(export["identities"], expected);

    auth.as_user(&tokens.access, removal(id)).await.ok(204);
    let again = auth.as_user(&tokens.access, removal(id)).await;
    assert_eq!(again.problem(), (404, "not-found"));
    assert_eq!((auth.identities(&tokens).await, auth.counted().await), (vec![], [1, 0, 0]));
    // Nobody signs in with it, until it is linked again.
    linked(&auth, &fake, &ada()).await.says(200, "It is done");
    assert_eq!(auth.identities(&tokens).await.len(), 1);
}

#[tokio::test]
async fn nobody_else_sees_or_removes_an_identity() {
    let (auth, _, tokens) = with_identity().await;
    let id = auth.identities(&tokens).await[0]["id"].as_str().unwrap().to_owned();
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;
    assert_eq!(auth.identities(&bob).await, Vec::<Value>::new());
    let refused = auth.as_user(&bob.access, removal(&id)).await;
    assert_eq!(refused.problem(), (404, "not-found"));
    let key = auth.key(&tokens, &["orders:read"], None).await;
    for event in [sample("list-identities"), removal(&id)] {
        assert_eq!(auth.as_user(&key.secret, event).await.problem(), (403, "forbidden"));
    }
    assert_eq!(auth.counted().await, [2, 1, 1]);
}

#[tokio::test]
async fn a_user_has_ten_identities_at_most() {
    let (auth, fake, tokens) = with_identity().await;
    for number in 1..MAX_IDENTITIES {
        linked(&auth, &fake, &Person::new(&number.to_string(), ADA)).await.says(200, "It is done");
        auth.seconds(720);
    }
    let one_more = Person::new("one more", ADA);
    linked(&auth, &fake, &one_more).await.says(409, "There are too many");
    let tokens = auth.refreshed(&tokens).await;
    let identities = auth.identities(&tokens).await;
    assert_eq!(identities.len(), 10);
    let id = identities[3]["id"].as_str().unwrap();
    auth.as_user(&tokens.access, removal(id)).await.ok(204);
    auth.seconds(720);
    linked(&auth, &fake, &one_more).await.says(200, "It is done");
    assert_eq!(auth.counted().await, [1, 10, 10]);
}

#[tokio::test]
async fn the_life_of_an_identity_is_in_the_log() {
    let (auth, fake) = with_provider().await;
    auth.register(ADA).await;
    let tokens = auth.signed_in(ADA).await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    linked(&auth, &fake, &ada()).await.says(200, "It is done");
    table.streamed().await;
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    table.streamed().await;
    let id = auth.identities(&tokens).await[0]["id"].clone();
    auth.as_user(&tokens.access, removal(id.as_str().unwrap())).await.ok(204);
    table.streamed().await;

    let entries = &table.chain(chain).await[2..];
    assert_eq!(kinds(entries), ["identity.linked", "session.begun", "identity.removed"]);
    assert_eq!(entries[0].fact.details["provider"], "one");
    assert_eq!(json!(entries[0].fact.details["identity"]), id);
    let log = serde_json::to_string(entries).unwrap();
    assert!(!log.contains("subject of Ada") && !log.contains(ADA), "{log}");
}

#[tokio::test]
async fn an_account_that_a_provider_has_made_is_in_the_log() {
    let (auth, fake) = with_provider().await;
    let mut table = Table::of(&auth).await;
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    table.streamed().await;
    let account = auth.account_of(ADA).await.unwrap();
    let entries = table.chain(shared::audit::Chain::Tenant(account.user.tenant)).await;
    let mut told = kinds(&entries);
    told.sort_unstable();
    assert_eq!(told, ["account.created", "identity.linked", "session.begun"]);
    let created = entries.iter().find(|entry| entry.fact.kind == "account.created").unwrap();
    assert_eq!(created.fact.details["password"], "none");
    assert_eq!(created.fact.details["ip"], "203.0.113.7");
}

/// What somebody would change by hand to get at an account.
#[tokio::test]
async fn an_identity_that_is_changed_by_hand_is_in_the_log_or_of_no_use() {
    let (auth, fake, tokens) = with_identity().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let (_, item) = table
        .before
        .iter()
        .find(|(key, _)| key.contains("USER#") && key.contains("IDENTITY#"))
        .unwrap();
    let mut changed = item.clone();
    changed["subject"] = json!({"S": "the subject of a thief"});
    let records = [record(99, Some(item), Some(&changed))];
    table.handle(&records).await.unwrap();
    assert_eq!(kinds(&table.chain(chain).await).last().unwrap(), &"identity.changed");

    // An item under a subject alone leads to nobody.
    let [leads] = &auth.items("IDENTITY#", "").await[..] else { panic!() };
    let dynamodb = aws_sdk_dynamodb::Client::new(&auth.aws);
    let thief = Person::new("the subject of a thief", "thief@example.org");
    auth.signs_in(&fake, ONE, &thief).await.says(200, "signed in as thief@example.org");
    let items = auth.items("IDENTITY#", "").await;
    let of_thief = items.iter().find(|item| item["pk"] != leads["pk"]).unwrap();
    let mut stolen = leads.clone();
    stolen["pk"] = of_thief["pk"].clone();
    let stolen = serde_dynamo::to_item(stolen).unwrap();
    dynamodb.put_item().table_name("auth").set_item(Some(stolen)).send().await.unwrap();
    let page = auth.signs_in(&fake, ONE, &thief).await;
    assert_eq!(page.status, 503, "{}", page.body);
}

#[tokio::test]
async fn a_deleted_user_leaves_no_identity() {
    let (auth, _, tokens) = with_identity().await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let mut deletion = sample("delete-me");
    let password = json!({"current_password": crate::support::PASSWORD});
    deletion["body"] = json!(password.to_string());
    auth.as_user(&tokens.access, deletion).await.ok(204);
    table.streamed().await;
    assert_eq!(auth.counted().await, [0, 0, 0]);
}

/// Wherever it fails, the identity is there with both items or with none, and can be removed.
#[tokio::test]
async fn a_removal_that_fails_anywhere_removes_all_or_nothing() {
    let passed = fault::walk(async |run: fault::Run| {
        let (auth, _, tokens) = with_identity().await;
        let id = auth.identities(&tokens).await[0]["id"].as_str().unwrap().to_owned();
        run.attempt(auth.as_user(&tokens.access, removal(&id))).await.resume().await;
        let [_, subjects, identities] = auth.counted().await;
        assert_eq!(subjects, identities);
        let again = auth.as_user(&tokens.access, removal(&id)).await;
        assert_eq!(again.status, if identities == 1 { 204 } else { 404 });
        assert_eq!(auth.counted().await, [1, 0, 0]);
    })
    .await;
    assert!(passed.contains(&"identities.remove"), "{passed:?}");
}
