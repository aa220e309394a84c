//! Tenants in the audit log, and in what other systems are told.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use shared::audit::Chain;

use super::{EVE, with_bob};
use crate::audit::kinds;
use crate::sessions::advance;
use crate::stream::Table;
use crate::support::{Auth, sample};

/// Changes an attribute of an item, as somebody does who has access to the table.
async fn by_hand(auth: &Auth, (pk, sk): (String, String), name: &str, value: AttributeValue) {
    aws_sdk_dynamodb::Client::new(&auth.aws)
        .update_item()
        .table_name("auth")
        .key("pk", AttributeValue::S(pk))
        .key("sk", AttributeValue::S(sk))
        .update_expression("SET #name = :value")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", value)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn the_life_of_a_tenant_is_in_its_own_log() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let eve = auth.joined(&ada, &tenant, EVE, "viewer").await;
    table.streamed().await;
    advance(&auth, Duration::from_secs(1));
    auth.give(&ada, &tenant, &eve, "owner").await.ok(204);
    table.streamed().await;
    auth.remove(&ada, &tenant, &bob).await.ok(204);
    table.streamed().await;
    auth.remove(&ada, &tenant, &ada).await.ok(204);
    table.streamed().await;
    auth.remove(&eve, &tenant, &eve).await.ok(204);
    table.streamed().await;

    let chain = table.chain(Chain::Tenant(tenant.parse().unwrap())).await;
    let mut first = kinds(&chain[..3]);
    first.sort_unstable();
    assert_eq!(first, ["member.joined", "member.joined", "tenant.created"]);
    let mut rest = kinds(&chain[3..]);
    assert_eq!(rest.pop(), Some("tenant.deleted"));
    let mut count = std::collections::BTreeMap::new();
    for kind in rest {
        *count.entry(kind).or_insert(0) += 1;
    }
    let expected =
        [("member.joined", 1), ("member.left", 3), ("member.removed", 1), ("member.role_given", 1)];
    assert_eq!(count, expected.into());

    let of = |kind: &str, user: &str| {
        let is =
            |entry: &&shared::audit::Entry| entry.fact.kind == kind && entry.fact.subject == user;
        chain.iter().find(is).unwrap().fact.details.clone()
    };
    let by_ada = |role: &str| {
        [("by".to_owned(), ada.id.clone()), ("role".to_owned(), role.to_owned())].into()
    };
    assert_eq!(of("member.joined", &bob.id), by_ada("editor"));
    assert_eq!(of("member.role_given", &eve.id), by_ada("owner"));
    assert_eq!(of("member.removed", &bob.id)["by"], ada.id);
    let text = serde_json::to_string(&chain).unwrap();
    assert!(!text.contains('@') && !text.contains("Analytical"), "{text}");

    let mut told = table.told().await;
    told.retain(|kind| !kind.starts_with("user."));
    let mut first: Vec<_> = told.drain(..3).collect();
    first.sort();
    assert_eq!(first, ["member.joined", "member.joined", "tenant.created"]);
    assert_eq!(told[..3], ["member.joined", "member.left", "member.left"]);
    told[3..].sort();
    assert_eq!(told[3..], ["member.left", "tenant.deleted"]);
}

/// The members of a tenant do not see from where the others come.
#[tokio::test]
async fn a_session_is_in_the_log_of_the_users_own_tenant() {
    let (auth, _, bob, tenant) = with_bob("editor").await;
    let here = auth.acting(&bob, &tenant).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    auth.as_user(&here.tokens.access, sample("logout")).await.ok(204);
    table.streamed().await;
    let of_tenant = table.chain(Chain::Tenant(tenant.parse().unwrap())).await;
    assert!(kinds(&of_tenant).iter().all(|kind| !kind.starts_with("session")), "{of_tenant:?}");
    let own = table.chain(Chain::Tenant(bob.own.parse().unwrap())).await;
    assert_eq!(kinds(&own).last(), Some(&"session.ended"));
}

#[tokio::test]
async fn an_invitation_is_in_the_log_without_the_address() {
    let (auth, ada, _, tenant) = with_bob("editor").await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    auth.invite(&ada, &tenant, EVE, "viewer").await.ok(201);
    table.streamed().await;
    let chain = table.chain(Chain::Tenant(tenant.parse().unwrap())).await;
    let fact = &chain.last().unwrap().fact;
    assert_eq!(
        (fact.kind.as_str(), &fact.details["role"]),
        ("invitation.sent", &"viewer".to_owned())
    );
    assert_eq!(fact.details["by"], ada.id);
    assert!(!serde_json::to_string(&chain).unwrap().contains('@'));
}

#[tokio::test]
async fn a_tenant_that_is_changed_by_hand_is_in_the_log() {
    let (auth, _, bob, tenant) = with_bob("viewer").await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let partition = format!("TENANT#{tenant}");
    let member = (partition.clone(), format!("MEMBER#{}", bob.id));
    by_hand(&auth, member, "role", AttributeValue::S("owner".into())).await;
    table.streamed().await;
    let name = AttributeValue::S("Other".into());
    by_hand(&auth, (partition, "TENANT".into()), "name", name).await;
    table.streamed().await;
    let chain = table.chain(Chain::Tenant(tenant.parse().unwrap())).await;
    let seen = kinds(&chain);
    assert_eq!(seen[seen.len() - 2..], ["member.changed", "tenant.changed"]);
}
