//! From the making of a tenant to its end.

use serde_json::{Value, json};
use std::time::Duration;

use super::{BOB, EVE, on, roles, with_bob};
use crate::sessions::{ADA, advance, before, with_ada};
use crate::support::{PASSWORD, sample};

const WEEK: Duration = Duration::from_hours(7 * 24);

#[tokio::test]
async fn users_share_a_tenant_until_the_last_one_leaves() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    assert_eq!(auth.members(&bob, &tenant).await, roles(&[(ADA, "owner"), (BOB, "editor")]));
    let listed = auth.tenants(&bob).await;
    let shown = |name: &str| listed.iter().map(|tenant| tenant[name].clone()).collect::<Vec<_>>();
    assert_eq!(shown("id"), [json!(bob.own), json!(tenant)]);
    assert_eq!(shown("name"), [Value::Null, json!("Analytical Engines")]);
    assert_eq!(shown("role"), [json!("owner"), json!("editor")]);
    assert_eq!(shown("is_own"), [json!(true), json!(false)]);
    assert_eq!(shown("is_current"), [json!(true), json!(false)]);
    assert_eq!(shown("members"), [json!(1), json!(2)]);

    // The only owner stays as long as there are others.
    assert_eq!(auth.remove(&ada, &tenant, &ada).await.problem(), (409, "tenant-needs-owner"));
    auth.remove(&bob, &tenant, &bob).await.ok(204);
    assert_eq!(auth.tenants(&bob).await.len(), 1);
    assert_eq!(auth.remove(&ada, &tenant, &bob).await.problem(), (404, "not-found"));
    auth.remove(&ada, &tenant, &ada).await.ok(204);
    assert_eq!(auth.tenants(&ada).await.len(), 1);
    let gone = on("list-members", (&tenant, ""), &Value::Null);
    let answer = auth.as_user(&ada.tokens.access, gone).await;
    assert_eq!(answer.problem(), (404, "not-found"));
}

#[tokio::test]
async fn an_invitation_works_once_and_for_a_week() {
    let (auth, ada, _, tenant) = with_bob("editor").await;
    let eve = auth.new_person(EVE).await;
    let first = auth.invited(&ada, &tenant, EVE, "viewer").await;
    let second = auth.invited(&ada, &tenant, EVE, "manager").await;
    let listed = auth.invitations(&ada, &tenant).await;
    assert_eq!((listed.len(), &listed[0]["role"]), (1, &json!("manager")), "one an address");
    assert_eq!(listed[0]["expires_at"], "2026-11-28T10:00:00Z");
    advance(&auth, before(WEEK));
    let (mut eve, mut ada) = (eve, ada);
    eve.tokens = auth.signed_in(EVE).await;
    ada.tokens = auth.signed_in(ADA).await;
    // Both mails have a link. The first one that is used counts, with the role of the last invitation.
    assert_eq!(auth.accept(&eve, &first).await.ok(200)["role"], "manager");
    for token in [&first, &second] {
        assert_eq!(auth.accept(&eve, token).await.problem(), (422, "invalid-link"));
    }
    assert!(auth.invitations(&ada, &tenant).await.is_empty());

    auth.remove(&ada, &tenant, &eve).await.ok(204);
    let late = auth.invited(&ada, &tenant, EVE, "viewer").await;
    advance(&auth, WEEK);
    eve.tokens = auth.signed_in(EVE).await;
    ada.tokens = auth.signed_in(ADA).await;
    assert_eq!(auth.accept(&eve, &late).await.problem(), (422, "invalid-link"));
    assert!(auth.invitations(&ada, &tenant).await.is_empty());
}

#[tokio::test]
async fn only_the_owner_of_the_invited_address_joins() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    let token = auth.invited(&ada, &tenant, EVE, "viewer").await;
    assert_eq!(auth.accept(&bob, &token).await.problem(), (403, "other-address"));
    // Another spelling is the same address, and the link is still good.
    let eve = auth.new_person("Eve@Example.org").await;
    auth.accept(&eve, &token).await.ok(200);
    // A link for something else is no invitation.
    let other = auth.asked("forgot-password", EVE).await;
    assert_eq!(auth.accept(&eve, &other).await.problem(), (422, "invalid-link"));
    let invitation = auth.invited(&ada, &tenant, "new@example.org", "viewer").await;
    let chosen = json!({"token": invitation, "password": PASSWORD});
    for name in ["confirm", "reset-password"] {
        assert_eq!(auth.call_with(name, &chosen).await.problem(), (422, "invalid-link"));
    }
}

/// Whoever could not invite any more has not invited.
#[tokio::test]
async fn an_invitation_ends_with_the_right_of_who_made_it() {
    let (auth, ada, bob, tenant) = with_bob("manager").await;
    let eve = auth.new_person(EVE).await;
    let token = auth.invited(&bob, &tenant, EVE, "manager").await;
    auth.give(&ada, &tenant, &bob, "editor").await.ok(204);
    assert_eq!(auth.accept(&eve, &token).await.problem(), (422, "invalid-link"));
    // The role comes back, and the invitation does not.
    advance(&auth, Duration::from_secs(1));
    auth.give(&ada, &tenant, &bob, "manager").await.ok(204);
    assert_eq!(auth.accept(&eve, &token).await.problem(), (422, "invalid-link"));
    auth.remove(&ada, &tenant, &bob).await.ok(204);
    assert_eq!(auth.accept(&eve, &token).await.problem(), (422, "invalid-link"));
    // The invitation of another one is another one, and its mail is sent.
    let token = auth.invited(&ada, &tenant, EVE, "editor").await;
    assert_eq!(auth.accept(&eve, &token).await.ok(200)["role"], "editor");
}

/// Neither in the place of an owner's one, nor for a member who is removed later.
#[tokio::test]
async fn an_invitation_undoes_nothing_that_an_owner_has_done() {
    let (auth, ada, bob, tenant) = with_bob("manager").await;
    let eve = auth.new_person(EVE).await;
    let token = auth.invited(&ada, &tenant, EVE, "owner").await;
    let replaced = auth.invite(&bob, &tenant, EVE, "viewer").await;
    assert_eq!(replaced.problem(), (403, "forbidden"));
    assert_eq!(auth.accept(&eve, &token).await.ok(200)["role"], "owner");

    let back = auth.invited(&bob, &tenant, EVE, "viewer").await;
    auth.remove(&ada, &tenant, &eve).await.ok(204);
    assert_eq!(auth.accept(&eve, &back).await.problem(), (422, "invalid-link"));
    assert!(auth.invitations(&ada, &tenant).await.is_empty());
}

#[tokio::test]
async fn a_revoked_invitation_is_good_for_nothing() {
    let (auth, ada, bob, tenant) = with_bob("manager").await;
    let eve = auth.new_person(EVE).await;
    let token = auth.invited(&ada, &tenant, EVE, "owner").await;
    let id = auth.invitations(&bob, &tenant).await[0]["id"].as_str().unwrap().to_owned();
    let revoke = || {
        let event = on("revoke-invitation", (&tenant, ""), &Value::Null).to_string();
        let event = event.replace("inv_01M7YRRT800000000000000006", &id);
        serde_json::from_str(&event).unwrap()
    };
    let by_manager = auth.as_user(&bob.tokens.access, revoke()).await;
    assert_eq!(by_manager.problem(), (404, "not-found"), "a manager takes no invitation of owners");
    auth.as_user(&ada.tokens.access, revoke()).await.ok(204);
    assert_eq!(auth.as_user(&ada.tokens.access, revoke()).await.problem(), (404, "not-found"));
    assert_eq!(auth.accept(&eve, &token).await.problem(), (422, "invalid-link"));
    // A mail that was still in the queue is not sent.
    auth.invite(&ada, &tenant, EVE, "viewer").await.ok(201);
    auth.as_user(&ada.tokens.access, revoke()).await.ok(204);
    let mails = auth.mails(EVE).await.len();
    auth.deliver_mails().await;
    assert_eq!(auth.mails(EVE).await.len(), mails);
}

#[tokio::test]
async fn a_tenant_sends_a_limited_number_of_invitations() {
    let (auth, tokens) = with_ada().await;
    let ada = auth.person(tokens).await;
    let tenant = auth.tenant(&ada).await;
    for number in 0..50 {
        auth.invite(&ada, &tenant, &format!("{number}@example.org"), "viewer").await.ok(201);
    }
    let refused = auth.invite(&ada, &tenant, BOB, "viewer").await;
    assert_eq!(refused.problem(), (429, "too-many-requests"));
    assert_eq!(refused.retry_after(), 24 * 3600 / 50);
    // Another tenant has its own, and so has another user.
    let other = auth.tenant(&ada).await;
    let refused = auth.invite(&ada, &other, BOB, "viewer").await;
    assert_eq!(refused.problem(), (429, "too-many-requests"));
    assert_eq!(auth.jobs().await.len(), 50);
    let bob = auth.new_person(BOB).await;
    let own = auth.tenant(&bob).await;
    auth.invite(&bob, &own, EVE, "viewer").await.ok(201);
}

#[tokio::test]
async fn an_account_of_a_member_is_not_deleted() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    let delete = || auth.as_user(&bob.tokens.access, sample("delete-me"));
    assert_eq!(delete().await.problem(), (409, "still-member"));
    auth.remove(&ada, &tenant, &bob).await.ok(204);
    delete().await.ok(204);
    assert_eq!(auth.members(&ada, &tenant).await, roles(&[(ADA, "owner")]));
}

#[tokio::test]
async fn a_name_that_makes_a_link_is_refused() {
    let (auth, tokens) = with_ada().await;
    for name in ["", "evil.example", "see https://evil", "a\u{202e}b", &"x".repeat(61)] {
        let event = on("create-tenant", ("", ""), &json!({"name": name}));
        let answer = auth.as_user(&tokens.access, event).await;
        assert_eq!(answer.problem(), (422, "invalid-body"));
        assert!(answer.body.to_string().contains("name"), "{}", answer.body);
    }
}
