//! Many callers at once, and requests that fail.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::fault::{self, Run};

use super::{BOB, EVE, Person, on, roles, with_bob};
use crate::sessions::{ADA, with_ada};
use crate::support::{Answer, Auth, Tokens, sample};

/// Items as DynamoDB has them.
type Item = std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>;

async fn items(auth: &Auth) -> Vec<Item> {
    let scan = aws_sdk_dynamodb::Client::new(&auth.aws).scan().table_name("auth").send();
    scan.await.unwrap().items.unwrap()
}

/// Checks that all counts are right, and that each member is known on both sides.
async fn check(auth: &Auth) {
    let items = items(auth).await;
    let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
    let number = |item: &Item, name: &str| {
        item.get(name).map_or(0, |it| it.as_n().unwrap().parse().unwrap())
    };
    let members = items.iter().filter(|item| text(item, "sk").starts_with("MEMBER#"));
    let members: Vec<_> = members.collect();
    let known = items.iter().filter(|item| text(item, "sk").starts_with("TENANT#"));
    let mut known: Vec<_> = known.map(|item| (text(item, "pk"), text(item, "sk"))).collect();
    let mut expected: Vec<_> = members
        .iter()
        .map(|item| (format!("USER#{}", text(item, "user")), text(item, "pk")))
        .collect();
    known.sort();
    expected.sort();
    assert_eq!(known, expected);
    for tenant in items.iter().filter(|item| text(item, "sk") == "TENANT") {
        let of = |member: &&&Item| member["pk"] == tenant["pk"];
        let owners = members.iter().filter(of).filter(|member| text(member, "role") == "owner");
        let counted: (usize, usize) = (number(tenant, "members"), number(tenant, "owners"));
        assert_eq!(counted, (members.iter().filter(of).count(), owners.count()));
        assert!(counted.1 > 0, "a tenant without an owner");
    }
    for account in items.iter().filter(|item| text(item, "sk") == "ACCOUNT") {
        let of = members.iter().filter(|member| text(member, "user") == text(account, "id"));
        assert_eq!(number(account, "tenants"), of.count());
    }
}

fn made(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_uses_of_an_invitation_at_once_one_counts() {
    let (auth, ada, _, tenant) = with_bob("editor").await;
    let eve = auth.new_person(EVE).await;
    let token = auth.invited(&ada, &tenant, EVE, "viewer").await;
    let answers = join_all((0..16).map(|_| auth.accept(&eve, &token))).await;
    assert_eq!(made(&answers, 200), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        let refused = [(422, "invalid-link"), (409, "already-member"), (503, "conflicting-writes")];
        assert!(refused.contains(&answer.problem()), "{}", answer.body);
    }
    check(&auth).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_leave_at_once_one_stays() {
    for _ in 0..8 {
        let (auth, ada, bob, tenant) = with_bob("editor").await;
        auth.joined(&ada, &tenant, EVE, "viewer").await;
        auth.give(&ada, &tenant, &bob, "owner").await.ok(204);
        let (first, second) = tokio::join!(
            auth.remove(&ada, &tenant, &ada),
            auth.give(&bob, &tenant, &bob, "viewer")
        );
        assert_eq!(made(&[first, second], 204), 1);
        check(&auth).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_two_members_who_leave_at_once_end_the_tenant_or_not() {
    for _ in 0..8 {
        let (auth, ada, bob, tenant) = with_bob("owner").await;
        let (first, second) =
            tokio::join!(auth.remove(&ada, &tenant, &ada), auth.remove(&bob, &tenant, &bob));
        assert_eq!(made(&[first, second], 204), 2);
        check(&auth).await;
        assert!(!items(&auth).await.iter().any(|item| item["sk"].as_s().unwrap() == "TENANT"));
    }
}

/// A manager loses the role, and uses it at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_taken_is_not_used_after_that() {
    for _ in 0..8 {
        let (auth, ada, bob, tenant) = with_bob("manager").await;
        let eve = auth.joined(&ada, &tenant, EVE, "viewer").await;
        let (taken, used) = tokio::join!(
            auth.give(&ada, &tenant, &bob, "viewer"),
            auth.give(&bob, &tenant, &eve, "manager")
        );
        taken.ok(204);
        let members = auth.members(&ada, &tenant).await;
        let of_eve = if used.status == 204 { "manager" } else { "viewer" };
        assert_eq!(members, roles(&[(ADA, "owner"), (BOB, "viewer"), (EVE, of_eve)]));
        let later = auth.give(&bob, &tenant, &eve, "manager").await;
        assert_eq!(later.problem(), (403, "forbidden"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_a_member_of_20_tenants_at_most() {
    let (auth, ada, bob, tenant) = with_bob("viewer").await;
    for _ in 0..18 {
        auth.tenant(&bob).await;
    }
    let token = auth.invited(&ada, &auth.tenant(&ada).await, BOB, "viewer").await;
    let create = || auth.as_user(&bob.tokens.access, sample("create-tenant"));
    let (accepted, created) =
        tokio::join!(auth.accept(&bob, &token), join_all((0..8).map(|_| create())));
    assert_eq!(made(&created, 201) + made(&[accepted], 200), 1);
    check(&auth).await;
    assert_eq!(create().await.problem(), (409, "too-many-tenants"));
    assert_eq!(auth.tenants(&bob).await.len(), 21);
    auth.remove(&bob, &tenant, &bob).await.ok(204);
    create().await.ok(201);
    check(&auth).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_joins_during_its_deletion_is_a_member_or_gone() {
    for _ in 0..8 {
        let (auth, ada, _, tenant) = with_bob("viewer").await;
        let eve = auth.new_person(EVE).await;
        let token = auth.invited(&ada, &tenant, EVE, "viewer").await;
        let deletion = auth.as_user(&eve.tokens.access, sample("delete-me"));
        let (joined, deleted) = tokio::join!(auth.accept(&eve, &token), deletion);
        assert_eq!(made(&[joined], 200) + made(&[deleted], 204), 1);
        check(&auth).await;
    }
}

#[tokio::test]
async fn a_creation_that_fails_anywhere_is_made_or_not() {
    Box::pin(fault::walk(async |run: Run| {
        let (auth, tokens) = with_ada().await;
        let ada = auth.person(tokens).await;
        let create = || auth.as_user(&ada.tokens.access, sample("create-tenant"));
        let first = run.attempt(create()).await.resume().await;
        if let Some(answer) = &first {
            assert!(run.allows(answer.status, &[]), "{}", answer.body);
        }
        check(&auth).await;
        let is_made = first.is_some_and(|answer| answer.status == 201);
        let known = auth.tenants(&ada).await.len() - 1;
        assert!(known == 1 || !is_made);
        create().await.ok(201);
        assert_eq!(auth.tenants(&ada).await.len(), known + 2);
    }))
    .await;
}

#[tokio::test]
async fn an_invitation_that_fails_anywhere_can_be_sent_again() {
    Box::pin(fault::walk(async |run: Run| {
        let (auth, ada, _, tenant) = with_bob("viewer").await;
        let eve = auth.new_person(EVE).await;
        let first = run.attempt(auth.invite(&ada, &tenant, EVE, "viewer")).await.resume().await;
        if let Some(answer) = &first {
            assert!(run.allows(answer.status, &[]), "{}", answer.body);
        }
        let token = auth.invited(&ada, &tenant, EVE, "editor").await;
        assert_eq!(auth.invitations(&ada, &tenant).await.len(), 1);
        auth.accept(&eve, &token).await.ok(200);
        check(&auth).await;
    }))
    .await;
}

#[tokio::test]
async fn an_acceptance_that_fails_anywhere_is_made_or_not() {
    Box::pin(fault::walk(async |run: Run| {
        let (auth, ada, _, tenant) = with_bob("viewer").await;
        let eve = auth.new_person(EVE).await;
        let token = auth.invited(&ada, &tenant, EVE, "viewer").await;
        let first = run.attempt(auth.accept(&eve, &token)).await.resume().await;
        if let Some(answer) = &first {
            assert!(run.allows(answer.status, &[]), "{}", answer.body);
        }
        check(&auth).await;
        let again = auth.accept(&eve, &token).await;
        assert!(again.status == 200 || again.problem() == (422, "invalid-link"), "{}", again.body);
        check(&auth).await;
        assert_eq!(auth.members(&eve, &tenant).await.len(), 3);
    }))
    .await;
}

#[tokio::test]
async fn a_change_of_a_role_that_fails_anywhere_can_be_repeated() {
    Box::pin(fault::walk(async |run: Run| {
        let (auth, ada, bob, tenant) = with_bob("viewer").await;
        let first = run.attempt(auth.give(&ada, &tenant, &bob, "owner")).await;
        check(&auth).await;
        auth.give(&ada, &tenant, &bob, "owner").await.ok(204);
        first.resume().await;
        check(&auth).await;
        assert_eq!(auth.members(&ada, &tenant).await, roles(&[(ADA, "owner"), (BOB, "owner")]));
    }))
    .await;
}

#[tokio::test]
async fn a_removal_that_fails_anywhere_can_be_repeated() {
    Box::pin(fault::walk(async |run: Run| {
        let (auth, ada, bob, tenant) = with_bob("owner").await;
        let first = run.attempt(auth.remove(&ada, &tenant, &bob)).await;
        check(&auth).await;
        let again = auth.remove(&ada, &tenant, &bob).await;
        assert!(matches!(again.status, 204 | 404), "{}", again.body);
        first.resume().await;
        check(&auth).await;
        assert_eq!(auth.members(&ada, &tenant).await, roles(&[(ADA, "owner")]));
        // The last one, too.
        let first = run.attempt(auth.remove(&ada, &tenant, &ada)).await;
        let again = auth.remove(&ada, &tenant, &ada).await;
        assert!(matches!(again.status, 204 | 404), "{}", again.body);
        first.resume().await;
        check(&auth).await;
        assert_eq!(auth.tenants(&ada).await.len(), 1);
    }))
    .await;
}

/// Whatever happens, a refresh gives a token for one of the two tenants, with the scopes that the user has there.
#[tokio::test]
async fn a_switch_that_fails_anywhere_is_made_or_not() {
    Box::pin(fault::walk(async |run: Run| {
        let (auth, _, bob, tenant) = with_bob("viewer").await;
        let first = run.attempt(auth.switch(&bob, &tenant)).await;
        let tokens = Tokens::of(&auth.refresh(&bob.tokens.refresh).await.ok(200));
        let (acts_for, scope) = auth.rights(&tokens.access).await.unwrap();
        assert_eq!(scope.contains("orders:write"), acts_for == bob.own);
        first.resume().await;
        let bob =
            Person { tokens: Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200)), ..bob };
        auth.acting(&bob, &tenant).await;
    }))
    .await;
}

/// A refresh of somebody who was removed meanwhile.
#[tokio::test]
async fn a_refresh_after_a_removal_that_fails_anywhere_can_be_repeated() {
    Box::pin(fault::walk(async |run: Run| {
        let (auth, ada, bob, tenant) = with_bob("viewer").await;
        let here = auth.acting(&bob, &tenant).await;
        auth.remove(&ada, &tenant, &bob).await.ok(204);
        let first = run.attempt(auth.refresh(&here.tokens.refresh)).await;
        let again = Tokens::of(&auth.refresh(&here.tokens.refresh).await.ok(200));
        first.resume().await;
        assert_eq!(auth.rights(&again.access).await.unwrap().0, bob.own);
    }))
    .await;
}

#[tokio::test]
async fn odd_requests_get_an_answer_that_says_why() {
    let (auth, ada, bob, tenant) = with_bob("viewer").await;
    let bodies = [
        json!(null),
        json!([]),
        json!({}),
        json!({"role": {}}),
        json!({"email": 1, "role": "viewer"}),
    ];
    for name in ["create-tenant", "give-role", "invite", "switch-tenant", "accept-invitation"] {
        for body in &bodies {
            let mut event = on(name, (&tenant, &bob.id), &Value::Null);
            event["body"] = json!(body.to_string());
            let answer = auth.as_user(&ada.tokens.access, event).await;
            assert!(matches!(answer.status, 400 | 422), "{name} {body}: {}", answer.body);
        }
    }
    for name in ["list-members", "give-role", "list-invitations", "revoke-invitation"] {
        let mut event = on(name, (&tenant, &bob.id), &Value::Null);
        event["pathParameters"]["tenant_id"] = json!("ten_!");
        let path = event["rawPath"].as_str().unwrap().replace(&tenant, "ten_!");
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        let answer = auth.as_user(&ada.tokens.access, event).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
    }
}
