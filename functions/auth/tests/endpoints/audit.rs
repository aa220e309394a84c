//! The audit log: each change that matters is in it, once, and nothing that was not made.

use auth::session::{Client, GRACE, Session};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::audit::{AuditLog, Chain, Entry};
use shared::fault;
use testing::account;

use crate::oauth;
use crate::sessions::{ADA, advance, change, with_ada};
use crate::stream::{Table, record};
use crate::support::{Auth, PASSWORD, auth, sample};

const NEW: &str = "correct horse battery staple";

pub(crate) fn kinds(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.fact.kind.as_str()).collect()
}

pub(crate) async fn tenant_of(auth: &Auth, access: &str) -> Chain {
    let context = auth.authorized(access).await.unwrap();
    Chain::Tenant(context["tenant"].as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn the_life_of_an_account_is_in_the_log_of_its_tenant() {
    let (auth, tokens) = with_ada().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;

    auth.refresh(&tokens.refresh).await.ok(200);
    table.streamed().await;
    let phone = auth.signed_in(ADA).await;
    table.streamed().await;
    auth.as_user(&phone.access, sample("logout")).await.ok(204);
    table.streamed().await;
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    table.streamed().await;
    advance(&auth, GRACE);
    assert_eq!(auth.refresh(&tokens.refresh).await.status, 401);
    table.streamed().await;
    let token = auth.asked("forgot-password", ADA).await;
    let chosen = json!({"token": token, "password": PASSWORD});
    auth.call_with("reset-password", &chosen).await.ok(204);
    table.streamed().await;
    let laptop = auth.signed_in(ADA).await;
    auth.as_user(&laptop.access, sample("end-sessions")).await.ok(204);
    table.streamed().await;

    let entries = table.chain(chain).await;
    let expected = [
        "account.created",
        "session.begun",
        "session.begun",
        "session.ended",
        "password.changed",
        "session.token_reused",
        "password.reset",
        "sessions.ended",
        "session.begun",
    ];
    assert_eq!(kinds(&entries), expected);
    let log = serde_json::to_string(&entries).unwrap();
    for secret in [ADA, PASSWORD, NEW, "argon2", tokens.refresh.as_str(), token.as_str()] {
        assert!(!log.contains(secret), "{log}");
    }
    assert_eq!(entries[1].fact.details["ip"], "203.0.113.7");

    let other = auth.signed_in(ADA).await;
    let listed = auth.as_user(&other.access, sample("list-audit")).await.ok(200);
    assert_eq!(listed["entries"].as_array().unwrap().len(), expected.len());
    assert_eq!(listed["entries"][0]["number"], 9);
}

#[tokio::test]
async fn applications_and_their_sessions_are_in_the_log() {
    let (auth, browser, app) = oauth::with_app(&json!({})).await;
    let ada = auth.signed_in(ADA).await;
    let chain = tenant_of(&auth, &ada.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let before = table.chain(chain).await.len();
    let code = auth.code(&oauth::asks(&app, &[]), &browser).await;
    let parameters = oauth::exchange(&code);
    auth.post("token", &app, &parameters).await.ok(200);
    table.streamed().await;
    assert_eq!(auth.post("token", &app, &parameters).await.status, 400);
    table.streamed().await;
    let entries = table.chain(chain).await.split_off(before);
    assert_eq!(kinds(&entries), ["session.begun", "session.code_reused"]);
    assert!(entries.iter().all(|entry| entry.fact.details["application"] == app.id));

    let of_app = |name: &str| {
        let event = sample(name).to_string().replace("app_01M7YRRT800000000000000009", &app.id);
        serde_json::from_str(&event).unwrap()
    };
    auth.call(&of_app("renew-secret")).await.ok(201);
    table.streamed().await;
    // By hand: codes of all users would go to somebody else.
    let moved = AttributeValue::L(vec![AttributeValue::S("https://evil.example/".into())]);
    let by_hand = aws_sdk_dynamodb::Client::new(&auth.aws)
        .update_item()
        .table_name("auth")
        .key("pk", AttributeValue::S(format!("APP#{}", app.id)))
        .key("sk", AttributeValue::S("APPLICATION".into()))
        .update_expression("SET redirect_uris = :moved")
        .expression_attribute_values(":moved", moved);
    by_hand.send().await.unwrap();
    table.streamed().await;
    auth.call(&of_app("delete-application")).await.ok(204);
    table.streamed().await;
    let entries = table.chain(Chain::Installation).await;
    let expected = ["registered", "secret_renewed", "changed", "deleted"];
    assert_eq!(kinds(&entries), expected.map(|kind| format!("application.{kind}")));
    assert!(entries.iter().all(|entry| entry.fact.subject == app.id));
    let log = serde_json::to_string(&entries).unwrap();
    assert!(!log.contains("arsenal_cs_"), "{log}");
}

/// After a deletion the table has nothing of the user, wherever an attempt of the stream's consumer ends; others are told once
/// that is so, and the address is free.
#[tokio::test]
async fn a_deleted_user_is_forgotten_and_others_are_told() {
    fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let chain = tenant_of(&auth, &tokens.access).await;
        let mut table = Table::of(&auth).await;
        table.streamed().await;
        auth.as_user(&tokens.access, sample("delete-me")).await.ok(204);
        assert_eq!(auth.authorized(&tokens.access).await, None);
        let records = table.records().await;
        let first = run.attempt(table.handle(&records)).await;
        table.handle(&records).await.unwrap();
        first.resume().await;
        table.streamed().await;
        let of_user = |key: &String| key.contains("USER#") || key.contains("EMAIL#");
        assert!(!table.before.keys().any(of_user), "{:?}", table.before);
        let kinds = kinds(&table.chain(chain).await).join(" ");
        assert_eq!(kinds, "account.created session.begun account.deleted");
        let mut told = table.told().await;
        told.dedup();
        assert_eq!(told, ["user.created", "user.deleted"]);
        auth.register(ADA).await;
    })
    .await;
}

/// A sign-in that has read the account before its deletion stores its session after it.
#[tokio::test]
async fn a_session_that_begins_during_a_deletion_is_deleted_too() {
    let (auth, tokens) = with_ada().await;
    let ada = auth.users.by_email(&ADA.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    let mut table = Table::of(&auth).await;
    auth.as_user(&tokens.access, sample("delete-me")).await.ok(204);
    table.streamed().await;
    let id = auth.ids.next();
    let session = Session::begun(id, &ada.user, ada.epoch, Client::default(), auth.clock.now());
    // More than are deleted at once.
    for _ in 0..60 {
        let session = Session { id: auth.ids.next(), ..session.clone() };
        auth.users.begin_session(&session).await.unwrap();
    }
    table.streamed().await;
    table.records().await;
    assert!(table.before.keys().all(|key| !key.contains("USER#")), "{:?}", table.before);
}

#[tokio::test]
async fn a_deletion_needs_the_password_and_is_made_or_not() {
    fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let mut wrong = sample("delete-me");
        wrong["body"] = json!(json!({"current_password": NEW}).to_string());
        let refused = auth.as_user(&tokens.access, wrong).await;
        assert_eq!(refused.problem(), (422, "wrong-password"));
        run.attempt(auth.as_user(&tokens.access, sample("delete-me"))).await.resume().await;
        let exists = auth.sign_in(ADA, PASSWORD).await.status == 200;
        assert_eq!(auth.authorized(&tokens.access).await.is_some(), exists);
        if !exists {
            auth.register(ADA).await;
        }
    })
    .await;
}

/// A deletion with the old password that comes after a change of it deletes nothing.
#[tokio::test]
async fn an_account_that_has_changed_is_not_deleted() {
    let (auth, tokens) = with_ada().await;
    let read = auth.users.by_email(&ADA.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    assert!(!auth.users.delete(&read, auth.ids.next()).await.unwrap());
    auth.sign_in(ADA, NEW).await.ok(200);
}

#[tokio::test]
async fn an_export_has_all_that_is_kept_but_the_hash() {
    let (auth, tokens) = with_ada().await;
    auth.register("bob@example.org").await;
    let phone = auth.signed_in(ADA).await;
    auth.as_user(&phone.access, sample("logout")).await.ok(204);
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let export = auth.as_user(&tokens.access, sample("export-me")).await.ok(200);
    assert_eq!(export["user"]["email"], ADA);
    assert_eq!(export["password_set"]["how"], "registered");
    let sessions = export["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert!(sessions[0]["ended_at"].is_string() && sessions[1].get("ended_at").is_none());
    assert_eq!(export["audit"].as_array().unwrap().len(), 3);
    assert!(!export.to_string().contains("argon2") && !export.to_string().contains("bob"));
}

/// An operator changes roles in the table, without any of our functions.
#[tokio::test]
async fn what_is_changed_by_hand_is_in_the_log() {
    let (auth, tokens) = with_ada().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let mut admin = table.records().await;
    assert!(admin.is_empty());
    let account = table.before.iter().find(|(key, _)| key.contains("ACCOUNT")).unwrap().1.clone();
    let mut changed = account.clone();
    changed["roles"] = json!({"L": [{"S": "member"}, {"S": "admin"}]});
    admin.push(record(1_000, Some(&account), Some(&changed)));
    admin.push(record(1_001, Some(&changed), None));
    table.handle(&admin).await.unwrap();
    let entries = table.chain(chain).await;
    assert_eq!(kinds(&entries)[2..], ["roles.changed", "account.deleted"]);
    assert_eq!(entries[2].fact.details["after"], r#"["member","admin"]"#);
}

/// What somebody would change to take an account over.
#[tokio::test]
async fn a_takeover_by_hand_is_in_the_log() {
    let (auth, tokens) = with_ada().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    auth.as_user(&tokens.access, sample("logout")).await.ok(204);
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let item = |part: &str| {
        let found = table.before.iter().find(|(key, _)| key.contains(part));
        found.unwrap_or_else(|| panic!("{part}")).1.clone()
    };
    let [account, session, address] = ["ACCOUNT", "SESSION#", "EMAIL#"].map(item);
    let with = |item: &Value, name: &str, value: Value| {
        let mut changed = item.clone();
        changed[name] = value;
        changed
    };
    let hash = with(&account, "password_hash", json!({"S": "another"}));
    let moved = with(&account, "email", json!({"S": "mallory@example.org"}));
    let mut revived = session.clone();
    revived.as_object_mut().unwrap().remove("ended");
    let mallory = with(&address, "pk", json!({"S": "EMAIL#mallory@example.org"}));
    let records = [
        record(1_000, Some(&account), Some(&hash)),
        record(1_001, Some(&account), Some(&moved)),
        record(1_002, Some(&session), Some(&revived)),
        record(1_003, None, Some(&mallory)),
        record(1_004, None, Some(&address)),
    ];
    table.handle(&records).await.unwrap();
    let entries = table.chain(chain).await;
    let mut found = kinds(&entries)[2..].to_vec();
    found.sort_unstable();
    let expected =
        ["account.changed", "address.moved", "password.hash_replaced", "session.revived"];
    assert_eq!(found, expected, "those of one key are in order, others are not");
}

#[tokio::test]
async fn a_rotation_of_the_keys_is_in_the_log_of_the_installation() {
    let auth = auth().await;
    let mut table = Table::of(&auth).await;
    for emergency in [false, true] {
        auth.rotation().handle(&json!({"emergency": emergency})).await.unwrap();
        table.streamed().await;
    }
    let entries = table.chain(Chain::Installation).await;
    assert_eq!(kinds(&entries), ["keys.rotated", "keys.rotated"]);
    assert_eq!(entries[1].fact.details["emergency"], "true");
}

/// Lambda delivers a batch again, and an attempt may end anywhere: each fact is in the log once.
#[tokio::test]
async fn a_change_is_in_the_log_once_wherever_an_attempt_ends() {
    let passed = fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let chain = tenant_of(&auth, &tokens.access).await;
        let mut table = Table::of(&auth).await;
        let records = table.records().await;
        let first = run.attempt(table.handle(&records)).await;
        table.handle(&records).await.unwrap();
        first.resume().await;
        assert_eq!(kinds(&table.chain(chain).await), ["account.created", "session.begun"]);
    })
    .await;
    assert_eq!(passed.iter().filter(|point| **point == "audit.append").count(), 2);
}

/// A change that cannot be read goes to the dead letters, without the hash of the password.
#[tokio::test]
async fn a_dead_letter_has_no_hash_of_a_password() {
    let (auth, _) = with_ada().await;
    let mut table = Table::of(&auth).await;
    let mut records = table.records().await;
    for record in &mut records {
        record["dynamodb"]["NewImage"]["created_at"] = json!({"BOOL": true});
    }
    table.handle(&records).await.unwrap();
    let queue = account::queue_named(&auth.aws, "audit-dead").await;
    let letters = account::drain(&auth.aws, &queue).await.concat();
    assert!(letters.contains("ACCOUNT") && !letters.contains("argon2"), "{letters}");

    // A change of the hash is one in the dead letter too, which an operator gives to the function again.
    let account = table.before.iter().find(|(key, _)| key.contains("ACCOUNT")).unwrap().1;
    let mut replaced = account.clone();
    replaced["password_hash"] = json!({"S": "$argon2id$another"});
    replaced["created_at"] = json!({"BOOL": true});
    table.handle(&[record(2_000, Some(account), Some(&replaced))]).await.unwrap();
    let letter = account::drain(&auth.aws, &queue).await.concat();
    assert!(!letter.contains("argon2"), "{letter}");
    let mut letter: Value = serde_json::from_str(&letter).unwrap();
    letter["dynamodb"]["NewImage"]["created_at"] = account["created_at"].clone();
    table.handle(&[letter]).await.unwrap();
    let chain = Chain::Tenant(account["tenant"]["S"].as_str().unwrap().parse().unwrap());
    assert_eq!(kinds(&table.chain(chain).await), ["password.hash_replaced"]);
}

#[tokio::test]
async fn a_chain_of_another_tenant_is_not_shown() {
    let (auth, ada) = with_ada().await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;
    let listed = auth.as_user(&bob.access, sample("list-audit")).await.ok(200);
    assert_eq!(listed, json!({"entries": []}));
    let weak = auth.as_user(&ada.access, sample("list-audit")).await;
    assert_eq!(weak.ok(200)["entries"].as_array().unwrap().len(), 2);
}

/// The log of the support, as the endpoint reads it.
pub(crate) fn log(aws: &aws_config::SdkConfig, table: String) -> AuditLog {
    AuditLog::new(aws_sdk_dynamodb::Client::new(aws), table)
}
