use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::IgnoredAny;
use shared::id::UserId;
use shared::lease::AttemptId;
use shared::table::{Item, delete, key, number, string, update, value};
use shared::transaction::Sent;
use shared::write;
use shared::{Error, Result};

use super::{Account, PasswordSet, Users, email_key, user_key};
use crate::email::Email;
use crate::link::{Link, LinkToken};

/// How long a message is known. Longer than its retries take.
const MAILS_KNOWN: Duration = Duration::from_hours(24);

/// What came of a use of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// It is used, and the change is made.
    Made,
    /// The link was used before, has expired, or does not exist. Nothing is changed.
    InvalidLink,
    /// The account stands in the way: one with the address exists, or it has changed since the link was made.
    /// Nothing is changed.
    Account,
}

/// The item of an address.
#[derive(Serialize)]
pub(super) struct Taken {
    pub(super) user_id: UserId,
}

impl Users {
    /// Keeps for a day that the mail of a message is admitted. 1 WRU.
    pub async fn admit_mail(&self, message: &str, now: Timestamp) -> Result<()> {
        #[derive(Serialize)]
        struct Admitted {
            expires: i64,
        }
        let admitted = Admitted { expires: (now + MAILS_KNOWN).as_second() };
        write::send("mails.admit", self.table.put(mail_key(message), &admitted)?).await.map(|_| ())
    }

    /// Whether the mail of a message is admitted. 1 RRU, strongly consistent.
    pub async fn knows_mail(&self, message: &str) -> Result<bool> {
        Ok(self.table.get::<IgnoredAny>(mail_key(message)).await?.is_some())
    }

    /// Stores a link under the hash of its token. 1 WRU.
    pub async fn add_link(&self, token: &LinkToken, link: &Link) -> Result<()> {
        let put = self.table.put(link_key(token), link)?;
        write::send("links.add", put).await.map(|_| ())
    }

    /// The link of a token, if it can be used at `now`. 1 RRU, strongly consistent.
    pub async fn link(&self, token: &LinkToken, now: Timestamp) -> Result<Option<Link>> {
        let link: Option<Link> = self.table.get(link_key(token)).await?;
        Ok(link.filter(|link| link.expires > now.as_second()))
    }

    /// Uses a link to create an account, unless its address is taken. All is written or nothing. 8 WRU.
    pub async fn create(&self, token: &LinkToken, account: &Account) -> Result<Used> {
        let user = &account.user;
        let writes = vec![
            self.using(token, account.password_set.at)?,
            self.table.new_item(email_key(&user.email), &Taken { user_id: user.id })?,
            self.table.new_item(user_key(user.id), account)?,
            // Tries before there was an account do not lock it.
            self.forgetting_tries(&user.email)?,
        ];
        // The token is unique, because the id is new. It has 30 characters.
        Ok(match self.table.transact("users.create", &user.id.to_string(), writes).await? {
            Sent::Made => Used::Made,
            Sent::Refused { index: 0, .. } => Used::InvalidLink,
            Sent::Refused { index: 1, .. } => Used::Account,
            Sent::Refused { .. } => return Err(Error::internal("another user has the new id")),
        })
    }

    /// Uses a link to set the password, and ends all sessions of the user, unless their epoch is another one than
    /// `epoch`. The tries of the password are forgotten. All is written or nothing. 6 WRU.
    pub async fn reset_password(
        &self,
        token: &LinkToken,
        (user, epoch): (UserId, u32),
        email: &Email,
        (new_hash, set): (&str, &PasswordSet),
        attempt: AttemptId,
    ) -> Result<Used> {
        let change = self
            .table
            .updating(user_key(user))
            .update_expression("SET password_hash = :new, password_set = :set, epoch = :next")
            .condition_expression("epoch = :epoch")
            .expression_attribute_values(":new", string(new_hash))
            .expression_attribute_values(":set", value(set)?)
            .expression_attribute_values(":next", number(epoch + 1))
            .expression_attribute_values(":epoch", number(epoch));
        let writes =
            vec![self.using(token, set.at)?, update(change)?, self.forgetting_tries(email)?];
        let attempt = attempt.to_string();
        Ok(match self.table.transact("users.reset_password", &attempt, writes).await? {
            Sent::Made => Used::Made,
            Sent::Refused { index: 0, .. } => Used::InvalidLink,
            Sent::Refused { .. } => Used::Account,
        })
    }

    /// The end of a link that can be used at `now`.
    pub(super) fn using(&self, token: &LinkToken, now: Timestamp) -> Result<TransactWriteItem> {
        let deletion = self
            .table
            .deleting(link_key(token))
            .condition_expression("expires > :now")
            .expression_attribute_values(":now", number(now.as_second()));
        delete(deletion)
    }
}

fn mail_key(message: &str) -> Item {
    key(format!("MAIL#{message}"), "MAIL")
}

fn link_key(token: &LinkToken) -> Item {
    key(format!("LINK#{}", token.hash()), "LINK")
}
