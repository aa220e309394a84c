use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;
use serde::Deserialize;
use shared::Result;
use shared::id::UserId;
use shared::lease::AttemptId;
use shared::table::{Item, Table, delete, key, milliseconds, number, string, update, value};
use shared::transaction::Sent;
use shared::write::{self, Written};

use super::{Account, Users, user_key, user_partition};
use crate::api_key::{ApiKey, ApiKeyId, MAX_KEYS, USE_NOTED_EACH};

/// The beginning of the sort keys of API keys.
pub(super) const API_KEY: &str = "APIKEY#";

/// What came of adding a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is added.
    Made,
    /// The user has [`MAX_KEYS`] keys. Nothing is written.
    Full,
    /// The account does not exist any more. Nothing is written.
    NoAccount,
}

impl Users {
    /// Adds a key to an account that exists and has fewer than [`MAX_KEYS`] keys. The account counts them. 4 WRU.
    pub async fn add_api_key(&self, added: &ApiKey) -> Result<Added> {
        let count = self
            .table
            .updating(user_key(added.user))
            .update_expression("SET api_keys = if_not_exists(api_keys, :none) + :one")
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(api_keys) OR api_keys < :max)",
            )
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":max", number(MAX_KEYS))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let writes =
            vec![update(count)?, self.table.new_item(api_key_key(added.user, added.id), added)?];
        // The token is unique, because the id is new. It has 30 characters.
        Ok(match self.table.transact("api_keys.add", &added.id.to_string(), writes).await? {
            Sent::Made => Added::Made,
            Sent::Refused { index: 0, item: None } => Added::NoAccount,
            Sent::Refused { .. } => Added::Full,
        })
    }

    /// A key of a user, strongly consistent. 1 RRU.
    pub async fn api_key(&self, user: UserId, id: ApiKeyId) -> Result<Option<ApiKey>> {
        self.table.get(api_key_key(user, id)).await
    }

    /// Up to `limit` keys of a user, newest first, before the key `before`; and whether there are more, strongly
    /// consistent. 1 RRU for 4 KB.
    pub async fn api_keys(
        &self,
        user: UserId,
        before: Option<ApiKeyId>,
        limit: i32,
    ) -> Result<(Vec<ApiKey>, bool)> {
        let query = self
            .table
            .query(user_partition(user), API_KEY)
            .consistent_read(true)
            .scan_index_forward(false)
            .set_exclusive_start_key(before.map(|before| api_key_key(user, before)));
        Table::page(query, limit).await
    }

    /// Replaces the secrets of a key by those of `new`, if they are still those of `old`. Gives `false` if another rotation
    /// was first, or the key does not exist any more. 1 WRU.
    pub async fn rotate_api_key(&self, old: &ApiKey, new: &ApiKey) -> Result<bool> {
        let update = self
            .table
            .update(api_key_key(old.user, old.id))
            .update_expression("SET secret_hash = :new, secret_set = :set, old_secrets = :olds")
            .condition_expression("secret_hash = :old")
            .expression_attribute_values(":new", string(&new.secret_hash))
            .expression_attribute_values(":set", value(&new.secret_set)?)
            .expression_attribute_values(":olds", value(&new.old_secrets)?)
            .expression_attribute_values(":old", string(&old.secret_hash));
        Ok(matches!(write::send("api_keys.rotate", update).await?, Written::Made(_)))
    }

    /// Deletes a key, and counts it no more. Gives `false` if there is none, or no account. 4 WRU.
    pub async fn revoke_api_key(
        &self,
        user: UserId,
        id: ApiKeyId,
        attempt: AttemptId,
    ) -> Result<bool> {
        let deletion =
            self.table.deleting(api_key_key(user, id)).condition_expression("attribute_exists(pk)");
        let count = self
            .table
            .updating(user_key(user))
            .update_expression("SET api_keys = if_not_exists(api_keys, :one) - :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":one", number(1));
        let writes = vec![delete(deletion)?, update(count)?];
        let sent = self.table.transact("api_keys.revoke", &attempt.to_string(), writes).await?;
        Ok(matches!(sent, Sent::Made))
    }

    /// A key with its account, if both exist, strongly consistent. 2 RRU, in one request.
    pub async fn api_key_with_account(
        &self,
        user: UserId,
        id: ApiKeyId,
    ) -> Result<Option<(ApiKey, Account)>> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Row {
            Key(Box<ApiKey>),
            Account(Box<Account>),
        }
        let keys = vec![user_key(user), api_key_key(user, id)];
        let (mut found, mut account) = (None, None);
        for row in self.table.batch(keys).await? {
            match row {
                Row::Key(key) => found = Some(*key),
                Row::Account(of_user) => account = Some(*of_user),
            }
        }
        Ok(found.zip(account))
    }

    /// Notes a use of a key at `now`, unless a later one is noted, or the key does not exist any more. 1 WRU.
    pub async fn note_use(&self, used: &ApiKey, now: Timestamp) -> Result<()> {
        let update = self
            .table
            .update(api_key_key(used.user, used.id))
            .update_expression("SET used_at = :now")
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(used_at) OR used_at <= :before)",
            )
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":before", milliseconds(now - USE_NOTED_EACH));
        write::send("api_keys.note_use", update).await.map(|_| ())
    }
}

fn api_key_key(user: UserId, id: ApiKeyId) -> Item {
    key(user_partition(user), format!("{API_KEY}{id}"))
}
