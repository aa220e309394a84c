use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::UserId;
use shared::lease::AttemptId;
use shared::table::{Item, delete, key, number, put, string, text, update, value};
use shared::transaction::Sent;

use super::second_factors::{NO_APP, Totp, as_many_passkeys, recovery_key};
use super::{Account, Users, user_key, user_partition};
use crate::passkey::{
    Asserted, Challenge, CredentialId, MAX_PASSKEYS, Passkey, PasskeyId, Refused,
};

/// The beginning of the sort keys of passkeys, and of the partitions that make them unique.
pub(super) const PASSKEYS: &str = "PASSKEY#";
const PASSKEY: &str = "PASSKEY";
const CHALLENGE: &str = "CHALLENGE";

/// What came of adding a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyAdded {
    /// It is added.
    Made,
    /// The user has [`MAX_PASSKEYS`] passkeys. Nothing is written.
    Full,
    /// A user has this passkey already. Nothing is written.
    Known,
    /// The challenge was used. Nothing is written.
    Used,
    /// The account has changed since it was read. Nothing is written.
    Account,
}

/// What came of a use of a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyUsed {
    /// It is noted, and the challenge is used.
    Made,
    /// The counter has not gone up. Nothing is written.
    Counter,
    /// The challenge was used. Nothing is written.
    Challenge,
    /// The passkey does not exist any more. Nothing is written.
    Gone,
}

/// What came of a removal of a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyRemoved {
    /// It is made.
    Made,
    /// There is no such passkey.
    Gone,
    /// The account has changed since it was read.
    Account,
}

/// Whose passkey it is: the item that makes it unique.
#[derive(Serialize, Deserialize)]
struct Owner {
    user: UserId,
    id: PasskeyId,
}

/// A challenge that was used. DynamoDB deletes it some time after it has expired.
#[derive(Serialize)]
struct UsedChallenge {
    expires: i64,
}

impl Users {
    /// The passkeys of a user, newest first, strongly consistent. 1 RRU for 4 KB.
    pub async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>> {
        let mut found: Vec<Passkey> = self.table.all(user_partition(user), PASSKEYS).await?;
        found.reverse();
        Ok(found)
    }

    /// A passkey of a user, strongly consistent. 1 RRU.
    pub async fn passkey(&self, user: UserId, id: PasskeyId) -> Result<Option<Passkey>> {
        self.table.get(passkey_key(user, id)).await
    }

    /// The passkey that an authenticator calls so, strongly consistent. 2 RRU, or 1 if there is none.
    pub async fn passkey_called(&self, credential: &CredentialId) -> Result<Option<Passkey>> {
        match self.table.get::<Owner>(owner_key(credential)).await? {
            Some(Owner { user, id }) => self.passkey(user, id).await,
            None => Ok(None),
        }
    }

    /// Adds a passkey to the account, which counts them, and uses the challenge. The first second factor of a user brings
    /// `recovery` codes. 8 WRU, or 10 with these.
    pub async fn add_passkey(
        &self,
        account: &Account,
        passkey: &Passkey,
        challenge: &Challenge,
        recovery: Option<&Totp>,
        attempt: AttemptId,
    ) -> Result<PasskeyAdded> {
        let is_first = format!("(attribute_not_exists(passkeys) OR passkeys = :none) AND {NO_APP}");
        let is_further = "(passkeys > :none OR second_factor.is_on = :on)";
        let (factors, switch) = match recovery {
            Some(_) => (is_first.as_str(), (":off", AttributeValue::Bool(false))),
            None => (is_further, (":on", AttributeValue::Bool(true))),
        };
        let count = self
            .table
            .updating(user_key(passkey.user))
            .update_expression("SET passkeys = if_not_exists(passkeys, :none) + :one")
            .condition_expression(format!(
                "epoch = :epoch AND {factors} AND (attribute_not_exists(passkeys) OR passkeys < :max)"
            ))
            .expression_attribute_values(switch.0, switch.1)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":max", number(MAX_PASSKEYS))
            .expression_attribute_values(":epoch", number(account.epoch))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let owner = Owner { user: passkey.user, id: passkey.id };
        let mut writes = vec![
            update(count)?,
            self.table.new_item(owner_key(&passkey.credential), &owner)?,
            self.answering(challenge)?,
            self.table.new_item(passkey_key(passkey.user, passkey.id), passkey)?,
        ];
        if let Some(codes) = recovery {
            writes.push(put(self.table.putting(recovery_key(passkey.user), codes)?)?);
        }
        let sent = self.table.transact("passkeys.add", &attempt.to_string(), writes).await?;
        Ok(match sent {
            Sent::Made => PasskeyAdded::Made,
            Sent::Refused { index: 0, item } => {
                let found: Option<Account> = item.map(serde_dynamo::from_item).transpose()?;
                let is_full = found.is_some_and(|account| account.passkeys >= MAX_PASSKEYS);
                if is_full { PasskeyAdded::Full } else { PasskeyAdded::Account }
            }
            Sent::Refused { index: 1, .. } => PasskeyAdded::Known,
            Sent::Refused { .. } => PasskeyAdded::Used,
        })
    }

    /// Notes a signature of a passkey at `now`, if its number is higher than the last one, or the authenticator does not
    /// count, and uses the challenge. 4 WRU.
    pub async fn use_passkey(
        &self,
        passkey: &Passkey,
        signed: &Asserted,
        now: Timestamp,
        attempt: AttemptId,
    ) -> Result<PasskeyUsed> {
        // Step 21 of WebAuthn Level 2, section 7.2.
        let is_later =
            if signed.sign_count == 0 { "sign_count = :new" } else { "sign_count < :new" };
        let noted = self
            .table
            .updating(passkey_key(passkey.user, passkey.id))
            .update_expression("SET sign_count = :new, is_backed_up = :copies, used_at = :now")
            .condition_expression(format!("attribute_exists(pk) AND {is_later}"))
            .expression_attribute_values(":new", number(signed.sign_count))
            .expression_attribute_values(":copies", AttributeValue::Bool(signed.is_backed_up))
            .expression_attribute_values(":now", text(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let writes = vec![self.answering(&signed.challenge)?, update(noted)?];
        let sent = self.table.transact("passkeys.use", &attempt.to_string(), writes).await?;
        Ok(match sent {
            Sent::Made => PasskeyUsed::Made,
            Sent::Refused { index: 0, .. } => PasskeyUsed::Challenge,
            Sent::Refused { item: None, .. } => PasskeyUsed::Gone,
            Sent::Refused { .. } => PasskeyUsed::Counter,
        })
    }

    /// Notes a signature that the counter has refused, and uses its challenge, so that it is noted once. 4 WRU.
    pub async fn refuse_passkey(
        &self,
        passkey: &Passkey,
        challenge: &Challenge,
        refused: &Refused,
        attempt: AttemptId,
    ) -> Result<()> {
        let noted = self
            .table
            .updating(passkey_key(passkey.user, passkey.id))
            .update_expression("SET refused = :refused")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":refused", value(refused)?);
        let writes = vec![self.answering(challenge)?, update(noted)?];
        // Without the passkey, or with a used challenge, there is nothing to tell.
        self.table.transact("passkeys.refuse", &attempt.to_string(), writes).await.map(|_| ())
    }

    /// Removes a passkey, if the account has the epoch and the number of passkeys that were read. With the last second factor,
    /// the recovery codes go. 6 WRU, or 8.
    pub async fn remove_passkey(
        &self,
        account: &Account,
        passkey: &Passkey,
        attempt: AttemptId,
    ) -> Result<PasskeyRemoved> {
        let is_last = account.passkeys <= 1 && !account.has_totp();
        let mut count = self
            .table
            .updating(user_key(passkey.user))
            .update_expression("SET passkeys = passkeys - :one")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":epoch", number(account.epoch))
            .expression_attribute_values(":passkeys", number(account.passkeys));
        let mut condition = format!("epoch = :epoch AND {}", as_many_passkeys(account));
        // Whether the recovery codes stay depends on the app: so it must be as it was read.
        if is_last {
            condition = format!("{condition} AND {NO_APP}");
            count = count.expression_attribute_values(":off", AttributeValue::Bool(false));
        } else if account.passkeys <= 1 {
            condition = format!("{condition} AND second_factor.is_on = :on");
            count = count.expression_attribute_values(":on", AttributeValue::Bool(true));
        }
        let item = self.table.deleting(passkey_key(passkey.user, passkey.id));
        let mut writes = vec![
            delete(item.condition_expression("attribute_exists(pk)"))?,
            update(count.condition_expression(condition))?,
            self.disowning(passkey.user, &passkey.credential)?,
        ];
        if is_last {
            writes.push(delete(self.table.deleting(recovery_key(passkey.user)))?);
        }
        let sent = self.table.transact("passkeys.remove", &attempt.to_string(), writes).await?;
        Ok(match sent {
            Sent::Made => PasskeyRemoved::Made,
            Sent::Refused { index: 0, .. } => PasskeyRemoved::Gone,
            Sent::Refused { .. } => PasskeyRemoved::Account,
        })
    }

    /// Deletes the passkeys of a user without an account. 4 WRU for each.
    pub(super) async fn forget_passkeys(&self, user: UserId) -> Result<()> {
        #[derive(Deserialize)]
        struct Kept {
            id: PasskeyId,
            credential: CredentialId,
        }
        for kept in self.table.all::<Kept>(user_partition(user), PASSKEYS).await? {
            let item = delete(self.table.deleting(passkey_key(user, kept.id)))?;
            let writes = vec![item, self.disowning(user, &kept.credential)?];
            // Another attempt may forget it at the same time: the token is that of the passkey, and the writes are the same.
            self.table.transact("passkeys.forget", &kept.id.to_string(), writes).await?;
        }
        Ok(())
    }

    /// The use of a challenge, for a transaction: it fails if it was used. 2 WRU.
    fn answering(&self, challenge: &Challenge) -> Result<TransactWriteItem> {
        let used = UsedChallenge { expires: challenge.expires };
        let key = key(format!("{CHALLENGE}#{}", challenge.name()), CHALLENGE);
        self.table.new_item(key, &used)
    }

    /// The end of a passkey as that of its user, for a transaction. 2 WRU.
    fn disowning(&self, user: UserId, credential: &CredentialId) -> Result<TransactWriteItem> {
        // `user` is a word of DynamoDB.
        let owner = self
            .table
            .deleting(owner_key(credential))
            .condition_expression("attribute_not_exists(pk) OR #user = :user")
            .expression_attribute_names("#user", "user")
            .expression_attribute_values(":user", string(user.to_string()));
        delete(owner)
    }
}

fn passkey_key(user: UserId, id: PasskeyId) -> Item {
    key(user_partition(user), format!("{PASSKEYS}{id}"))
}

fn owner_key(credential: &CredentialId) -> Item {
    key(format!("{PASSKEYS}{}", credential.hash()), PASSKEY)
}
