//! Accounts with a real DynamoDB API: an address has at most one account.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use auth::email::Email;
use auth::link::{Link, LinkToken, Purpose};
use auth::session::Client;
use auth::store::{Account, How, PasswordSet, Used, Users};
use auth::user::User;
use futures::future::join_all;
use shared::Error;
use shared::clock::Clock;
use shared::fault::{Fault, Run};
use shared::id::Ids;
use testing::account;

async fn users() -> Users {
    let aws = account::empty().await;
    let table = account::table(&aws, &["pk", "sk"]).await;
    Users::new(aws_sdk_dynamodb::Client::new(&aws), table)
}

fn email(text: &str) -> Email {
    text.to_owned().try_into().unwrap()
}

fn new_account(address: &str) -> Account {
    let ids = Ids::random(Clock::System);
    let user = User::register(email(address), &ids, Clock::System.now());
    let (at, client) = (Clock::System.now(), Client::default());
    let password_set = PasswordSet { at, how: How::Registered, client };
    Account {
        user,
        password_hash: Some("$argon2id$…".into()),
        epoch: 0,
        password_set,
        second_factor: None,
        tenants: 0,
        passkeys: 0,
    }
}

/// Creates an account with a link of its own.
async fn create(users: &Users, account: &Account) -> shared::Result<Used> {
    users.create(&linked(users, account).await, account).await
}

/// The token of a new link to the address of an account.
async fn linked(users: &Users, account: &Account) -> LinkToken {
    let (token, email) = (LinkToken::generate().unwrap(), account.user.email.clone());
    let link = Link { email, purpose: Purpose::Register, expires: i64::MAX };
    users.add_link(&token, &link).await.unwrap();
    token
}

#[tokio::test]
async fn an_account_is_found_by_its_address() {
    let users = users().await;
    let account = new_account("ada@example.org");
    assert_eq!(create(&users, &account).await.unwrap(), Used::Made);

    let found = users.by_email(&email("Ada@Example.org")).await.unwrap().unwrap();
    assert_eq!(found.user, account.user);
    assert_eq!(found.password_hash, account.password_hash);
    assert!(users.by_email(&email("bob@example.org")).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_registrations_create_one_account() {
    let users = users().await;
    for round in 0..5 {
        let address = format!("ada{round}@example.org");
        let accounts: Vec<_> = (0..16).map(|_| new_account(&address)).collect();
        let results = join_all(accounts.iter().map(|account| create(&users, account))).await;

        let winners: Vec<_> = accounts
            .iter()
            .zip(&results)
            .filter(|(_, made)| matches!(made, Ok(Used::Made)))
            .collect();
        let owner = users.by_email(&email(&address)).await.unwrap().unwrap();
        assert_eq!(winners.len(), 1, "round {round}: {results:?}");
        assert_eq!(owner.user, winners[0].0.user);
        for result in results {
            assert!(matches!(result, Ok(Used::Made | Used::Account)), "{result:?}");
        }
    }
}

#[tokio::test]
async fn a_conflicting_registration_succeeds_or_is_refused() {
    for winner_exists in [false, true] {
        let users = users().await;
        if winner_exists {
            create(&users, &new_account("ada@example.org")).await.unwrap();
        }
        let account = new_account("ada@example.org");
        let token = linked(&users, &account).await;
        let conflict = Run::with("users.create", Fault::Conflict);
        let created = conflict.attempt(users.create(&token, &account)).await.resume().await;
        let expected = if winner_exists { Used::Account } else { Used::Made };
        assert_eq!(created.unwrap().unwrap(), expected);
    }
    let users = users().await;
    let account = new_account("ada@example.org");
    let token = linked(&users, &account).await;
    let conflicts = Run::with("users.create", Fault::Conflicts);
    let created = conflicts.attempt(users.create(&token, &account)).await.resume().await;
    assert!(matches!(created.unwrap(), Err(Error::Conflict(_))));
}
