//! The users' table. There is one partition for each user (`pk = USER#<id>`) and one for each address
//! (`pk = EMAIL#<address>`). The second makes addresses unique and maps an address to its user.

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use shared::id::UserId;
use shared::table::{Item, Table, partition};
use shared::transaction::Sent;
use shared::{Error, Result};

use crate::email::Email;
use crate::user::User;

/// A user with the password's hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// The password's hash, a PHC string.
    pub password_hash: String,
}

/// Why an account was not created.
#[derive(Debug)]
pub enum CreateError {
    /// Another user has the address.
    EmailTaken,
    /// The store failed. The account may or may not exist.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for CreateError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The users' table.
#[derive(Clone, Debug)]
pub struct Users {
    table: Table,
}

impl Users {
    /// The users in `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { table: Table::new(client, table) }
    }

    /// Creates an account, unless its address is taken. Writes both items or none. 4 WRU.
    pub async fn create(&self, account: &Account) -> Result<(), CreateError> {
        #[derive(Serialize)]
        struct Taken {
            user_id: UserId,
        }
        let user = &account.user;
        let owner = Taken { user_id: user.id };
        let writes = vec![
            self.table.new_item(email_key(&user.email), &owner)?,
            self.table.new_item(user_key(user.id), account)?,
        ];
        // The token is unique, because the id is new. It has 30 characters.
        let token = user.id.to_string();
        match self.table.transact("users.create", &token, writes).await? {
            Sent::Made => Ok(()),
            Sent::Refused { index: 0, .. } => Err(CreateError::EmailTaken),
            Sent::Refused { .. } => Err(Error::internal("another user has the new id").into()),
        }
    }

    /// The account with this address. 2 RRU, strongly consistent, so that users can sign in right after
    /// registration.
    pub async fn by_email(&self, email: &Email) -> Result<Option<Account>> {
        #[derive(Deserialize)]
        struct Taken {
            user_id: UserId,
        }
        let Some(taken) = self.table.get::<Taken>(email_key(email)).await? else { return Ok(None) };
        self.table.get(user_key(taken.user_id)).await
    }
}

fn user_key(id: UserId) -> Item {
    partition(format!("USER#{id}"))
}

fn email_key(email: &Email) -> Item {
    partition(format!("EMAIL#{email}"))
}
