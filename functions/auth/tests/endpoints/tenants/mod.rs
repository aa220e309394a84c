//! Tenants that several users share: made, joined, acted for, left, and misused.

mod acting;
mod audited;
mod life;
mod pages;
mod races;
mod roles;

use serde_json::{Value, json};

use crate::sessions::with_ada;
use crate::support::{Answer, Auth, Tokens, sample};

const BOB: &str = "bob@example.org";
const EVE: &str = "eve@example.org";

/// A sample event, with these ids and this body.
fn on(name: &str, (tenant, user): (&str, &str), body: &Value) -> Value {
    let event = sample(name).to_string();
    let event = event.replace("ten_01M7YRRT800000000000000004", tenant);
    let event = event.replace("usr_01M7YRRT800000000000000005", user);
    let mut event: Value = serde_json::from_str(&event).unwrap();
    if !body.is_null() {
        event["body"] = json!(body.to_string());
    }
    event
}

/// A user, who is signed in.
#[derive(Clone, Debug)]
struct Person {
    id: String,
    own: String,
    tokens: Tokens,
}

/// Ada and Bob, and a tenant that Ada has made and in which Bob has this role.
async fn with_bob(role: &str) -> (Auth, Person, Person, String) {
    let (auth, tokens) = with_ada().await;
    let ada = auth.person(tokens).await;
    let tenant = auth.tenant(&ada).await;
    let bob = auth.joined(&ada, &tenant, BOB, role).await;
    (auth, ada, bob, tenant)
}

impl Auth {
    async fn person(&self, tokens: Tokens) -> Person {
        let me = self.as_user(&tokens.access, sample("get-me")).await.ok(200);
        let text = |name: &str| me[name].as_str().unwrap().to_owned();
        Person { id: text("id"), own: text("tenant"), tokens }
    }

    async fn new_person(&self, email: &str) -> Person {
        self.register(email).await;
        self.person(self.signed_in(email).await).await
    }

    /// Makes a tenant. Gives its id.
    async fn tenant(&self, owner: &Person) -> String {
        let made = self.as_user(&owner.tokens.access, sample("create-tenant")).await.ok(201);
        made["id"].as_str().unwrap().to_owned()
    }

    async fn invite(&self, by: &Person, tenant: &str, email: &str, role: &str) -> Answer {
        let body = json!({"email": email, "role": role});
        self.as_user(&by.tokens.access, on("invite", (tenant, ""), &body)).await
    }

    /// Invites somebody. Gives the token of the mail's link.
    async fn invited(&self, by: &Person, tenant: &str, email: &str, role: &str) -> String {
        self.invite(by, tenant, email, role).await.ok(201);
        self.deliver_mails().await;
        self.mails(email).await.last().unwrap().token().to_owned()
    }

    async fn accept(&self, who: &Person, token: &str) -> Answer {
        let event = on("accept-invitation", ("", ""), &json!({"token": token}));
        self.as_user(&who.tokens.access, event).await
    }

    /// A new user, who has joined.
    async fn joined(&self, by: &Person, tenant: &str, email: &str, role: &str) -> Person {
        let person = self.new_person(email).await;
        let token = self.invited(by, tenant, email, role).await;
        self.accept(&person, &token).await.ok(200);
        person
    }

    async fn switch(&self, who: &Person, tenant: &str) -> Answer {
        let event = on("switch-tenant", (tenant, ""), &Value::Null);
        self.as_user(&who.tokens.access, event).await
    }

    /// The person, acting for the tenant.
    async fn acting(&self, who: &Person, tenant: &str) -> Person {
        self.switch(who, tenant).await.ok(204);
        let tokens = Tokens::of(&self.refresh(&who.tokens.refresh).await.ok(200));
        Person { tokens, ..who.clone() }
    }

    async fn give(&self, by: &Person, tenant: &str, to: &Person, role: &str) -> Answer {
        let event = on("give-role", (tenant, &to.id), &json!({"role": role}));
        self.as_user(&by.tokens.access, event).await
    }

    async fn remove(&self, by: &Person, tenant: &str, who: &Person) -> Answer {
        let event = on("remove-member", (tenant, &who.id), &Value::Null);
        self.as_user(&by.tokens.access, event).await
    }

    async fn tenants(&self, who: &Person) -> Vec<Value> {
        let listed = self.as_user(&who.tokens.access, sample("list-tenants")).await.ok(200);
        listed["tenants"].as_array().unwrap().clone()
    }

    /// The members and their roles.
    async fn members(&self, who: &Person, tenant: &str) -> Vec<(String, String)> {
        let event = on("list-members", (tenant, ""), &Value::Null);
        let listed = self.as_user(&who.tokens.access, event).await.ok(200);
        let text = |member: &Value, name: &str| member[name].as_str().unwrap().to_owned();
        let members = listed["members"].as_array().unwrap().iter();
        members.map(|member| (text(member, "email"), text(member, "role"))).collect()
    }

    async fn invitations(&self, who: &Person, tenant: &str) -> Vec<Value> {
        let event = on("list-invitations", (tenant, ""), &Value::Null);
        let listed = self.as_user(&who.tokens.access, event).await.ok(200);
        listed["invitations"].as_array().unwrap().clone()
    }

    /// The tenant and the scopes of an access token, if it is good.
    async fn rights(&self, access: &str) -> Option<(String, String)> {
        let context = self.authorized(access).await?;
        let text = |name: &str| context[name].as_str().unwrap().to_owned();
        Some((text("tenant"), text("scope")))
    }
}

fn roles(members: &[(&str, &str)]) -> Vec<(String, String)> {
    members.iter().map(|(email, role)| ((*email).to_owned(), (*role).to_owned())).collect()
}
