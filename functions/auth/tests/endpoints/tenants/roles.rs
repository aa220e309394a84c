//! Who may do what to whom.

use serde_json::{Value, json};

use super::{BOB, EVE, on, roles, with_bob};
use crate::sessions::ADA;
use crate::support::sample;

#[tokio::test]
async fn a_manager_manages_all_but_owners() {
    let (auth, ada, bob, tenant) = with_bob("manager").await;
    let eve = auth.joined(&bob, &tenant, EVE, "viewer").await;
    auth.give(&bob, &tenant, &eve, "manager").await.ok(204);
    for (who, role) in [(&ada, "viewer"), (&eve, "owner"), (&bob, "owner")] {
        assert_eq!(auth.give(&bob, &tenant, who, role).await.problem(), (403, "forbidden"));
    }
    assert_eq!(auth.remove(&bob, &tenant, &ada).await.problem(), (403, "forbidden"));
    let answer = auth.invite(&bob, &tenant, "new@example.org", "owner").await;
    assert_eq!(answer.problem(), (403, "forbidden"));
    let all = [(ADA, "owner"), (BOB, "manager"), (EVE, "manager")];
    assert_eq!(auth.members(&ada, &tenant).await, roles(&all));
    auth.remove(&bob, &tenant, &eve).await.ok(204);
    // Down is always possible, and there is no way up again.
    auth.give(&bob, &tenant, &bob, "viewer").await.ok(204);
    assert_eq!(auth.give(&bob, &tenant, &bob, "manager").await.problem(), (403, "forbidden"));
}

#[tokio::test]
async fn an_editor_and_a_viewer_manage_nothing() {
    for role in ["editor", "viewer"] {
        let (auth, ada, bob, tenant) = with_bob(role).await;
        let eve = auth.joined(&ada, &tenant, EVE, "viewer").await;
        assert_eq!(auth.give(&bob, &tenant, &eve, "viewer").await.problem(), (403, "forbidden"));
        assert_eq!(auth.give(&bob, &tenant, &bob, "owner").await.problem(), (403, "forbidden"));
        assert_eq!(auth.remove(&bob, &tenant, &eve).await.problem(), (403, "forbidden"));
        let answer = auth.invite(&bob, &tenant, "new@example.org", "viewer").await;
        assert_eq!(answer.problem(), (403, "forbidden"));
        for name in ["list-invitations", "revoke-invitation"] {
            let answer = auth.as_user(&bob.tokens.access, on(name, (&tenant, ""), &Value::Null));
            assert_eq!(answer.await.problem(), (403, "forbidden"), "{name}");
        }
        assert_eq!(auth.members(&bob, &tenant).await.len(), 3, "but sees who else is there");
    }
}

#[tokio::test]
async fn a_stranger_learns_nothing_of_a_tenant() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    let eve = auth.new_person(EVE).await;
    let names = [
        "list-members",
        "give-role",
        "remove-member",
        "invite",
        "list-invitations",
        "revoke-invitation",
        "switch-tenant",
    ];
    for name in names {
        let known = on(name, (&tenant, &bob.id), &Value::Null);
        let known = auth.as_user(&eve.tokens.access, known).await;
        let unknown = on(name, ("ten_01M7YRRT80000000000000000Z", &bob.id), &Value::Null);
        let unknown = auth.as_user(&eve.tokens.access, unknown).await;
        assert_eq!(known.problem(), (404, "not-found"), "{name}");
        assert_eq!(known.body["detail"], unknown.body["detail"], "{name}");
    }
    // Nobody else acts for the tenant of a user's own.
    assert_eq!(auth.switch(&eve, &ada.own).await.problem(), (404, "not-found"));
    for name in ["list-members", "invite"] {
        let own = on(name, (&ada.own, ""), &Value::Null);
        let answer = auth.as_user(&ada.tokens.access, own).await;
        assert_eq!(answer.problem(), (404, "not-found"), "{name} of the own tenant");
    }
}

#[tokio::test]
async fn owners_make_and_unmake_owners_but_the_last_one() {
    let (auth, ada, bob, tenant) = with_bob("viewer").await;
    assert_eq!(
        auth.give(&ada, &tenant, &ada, "editor").await.problem(),
        (409, "tenant-needs-owner")
    );
    auth.give(&ada, &tenant, &bob, "owner").await.ok(204);
    auth.give(&bob, &tenant, &ada, "viewer").await.ok(204);
    assert_eq!(
        auth.give(&bob, &tenant, &bob, "viewer").await.problem(),
        (409, "tenant-needs-owner")
    );
    assert_eq!(auth.members(&ada, &tenant).await, roles(&[(ADA, "viewer"), (BOB, "owner")]));
    // The same role again changes nothing, also for the last owner.
    auth.give(&bob, &tenant, &bob, "owner").await.ok(204);
    assert_eq!(auth.remove(&bob, &tenant, &bob).await.problem(), (409, "tenant-needs-owner"));
}

#[tokio::test]
async fn an_unknown_role_names_the_field() {
    let (auth, ada, bob, tenant) = with_bob("viewer").await;
    for role in ["admin", "", "Owner"] {
        let event = on("give-role", (&tenant, &bob.id), &json!({"role": role}));
        let answer = auth.as_user(&ada.tokens.access, event).await;
        assert_eq!(answer.problem(), (422, "invalid-body"), "{role}");
        assert!(answer.body.to_string().contains("role"), "{}", answer.body);
    }
}

/// What a key or an application could do would outlive its own rights.
#[tokio::test]
async fn no_api_key_and_no_application_changes_tenants() {
    let (auth, ada, bob, tenant) = with_bob("viewer").await;
    let changes = [
        "create-tenant",
        "give-role",
        "remove-member",
        "invite",
        "revoke-invitation",
        "switch-tenant",
        "accept-invitation",
    ];
    for name in changes {
        let mut event = on(name, (&tenant, &bob.id), &Value::Null);
        let mut context = auth.authorized(&ada.tokens.access).await.unwrap();
        context["application"] = json!("app_01M7YRRT800000000000000000");
        event["requestContext"]["authorizer"]["lambda"] = context.clone();
        assert_eq!(auth.call(&event).await.problem(), (403, "forbidden"), "{name}");
        let context = context.as_object_mut().unwrap();
        context.remove("application");
        context.remove("sid");
        event["requestContext"]["authorizer"]["lambda"] = json!(context);
        assert_eq!(auth.call(&event).await.problem(), (403, "forbidden"), "{name}");
    }
    let me = auth.as_user(&ada.tokens.access, sample("get-me")).await.ok(200);
    assert_eq!(me["tenant"], json!(ada.own));
}
