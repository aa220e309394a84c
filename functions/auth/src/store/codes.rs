use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::table::{Item, key, number, text, update};
use shared::transaction::Sent;
use shared::write;

use super::Users;
use super::sessions::{Stored, session_key};
use crate::oauth::code::{Allowed, Code, REMEMBERED};
use crate::session::Session;

/// What came of an exchange of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchanged {
    /// The session has begun.
    Made,
    /// The code has ended, or has begun a session before. Nothing is changed.
    Refused,
}

impl Users {
    /// Stores what a user has allowed, under the hash of the code. 1 WRU.
    pub async fn add_code(&self, code: &Code, allowed: &Allowed) -> Result<()> {
        #[derive(Serialize)]
        struct Kept<'a> {
            #[serde(flatten)]
            allowed: &'a Allowed,
            /// DynamoDB deletes the item some time after this one, in seconds.
            expires: i64,
        }
        let expires = (allowed.good_until + REMEMBERED).as_second();
        let put = self.table.put(code_key(code), &Kept { allowed, expires })?;
        write::send("codes.add", put).await.map(|_| ())
    }

    /// What a user has allowed, also if the code has ended or has been used, strongly consistent. 1 RRU.
    pub async fn code(&self, code: &Code) -> Result<Option<Allowed>> {
        self.table.get(code_key(code)).await
    }

    /// Exchanges a code for a session. Both are written or nothing, and of many exchanges of one code one is made. 4 WRU.
    pub async fn exchange(
        &self,
        code: &Code,
        session: &Session,
        now: Timestamp,
    ) -> Result<Exchanged> {
        let using = self
            .table
            .updating(code_key(code))
            .update_expression("SET began = :session")
            .condition_expression("attribute_not_exists(began) AND good_until > :now")
            .expression_attribute_values(":session", text(session.id))
            .expression_attribute_values(":now", number(now.as_second()));
        let key = session_key(session.user, session.id);
        let writes = vec![update(using)?, self.table.new_item(key, &Stored::of(session))?];
        let sent = self.table.transact("codes.exchange", &session.id.to_string(), writes).await?;
        Ok(match sent {
            Sent::Made => Exchanged::Made,
            Sent::Refused { .. } => Exchanged::Refused,
        })
    }
}

fn code_key(code: &Code) -> Item {
    key(format!("CODE#{}", code.hash()), "CODE")
}
