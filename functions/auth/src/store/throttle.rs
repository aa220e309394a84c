use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use shared::conflict::retried;
use shared::table::{Item, delete, key, milliseconds, number};
use shared::write::{self, Written};
use shared::{Error, Result};

use super::Users;
use crate::email::Email;
use crate::throttle::{MEMORY, Refused, Tries, steps};

const TRIES: &str = "TRIES";

impl Users {
    /// Counts a try of a password for this address, if [`throttle`](crate::throttle) allows it now. Of tries at once,
    /// each is counted by itself. 1 WRU, whether the address has an account or not; 2 if failures are there that are
    /// forgotten, but that TTL has not deleted yet.
    pub async fn take_try(&self, email: &Email, now: Timestamp) -> Result<Result<(), Refused>> {
        retried(async || {
            let Some(found) = self.count(email, now).await? else { return Ok(Some(Ok(()))) };
            if let Err(refused) = found.admit(now) {
                return Ok(Some(Err(refused)));
            }
            // Another try may begin the count anew at the same time: then this one follows it.
            let is_taken = found.is_forgotten(now) && self.begin_count(email, now).await?;
            Ok(is_taken.then_some(Ok(())))
        })
        .await
    }

    /// The end of the count for this address, for a transaction: its owner has proved the mailbox. 2 WRU.
    pub(super) fn forgetting_tries(&self, email: &Email) -> Result<TransactWriteItem> {
        delete(self.table.deleting(tries_key(email)))
    }

    /// Forgets the failures for this address, after a right password. 1 WRU.
    pub async fn clear_tries(&self, email: &Email) -> Result<()> {
        let update = self
            .table
            .update(tries_key(email))
            .update_expression("SET failures = :none")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":none", number(0));
        // Without the item, there are no failures.
        write::send("tries.clear", update).await.map(|_| ())
    }

    /// Counts one more failure, if the number of failures allows a try. Otherwise gives what is counted.
    async fn count(&self, email: &Email, now: Timestamp) -> Result<Option<Tries>> {
        let mut allowed = Vec::new();
        let mut update = self.trying(email, now);
        for (step, (failures, wait)) in steps().into_iter().enumerate() {
            let is_of_step = format!("failures BETWEEN :from{step} AND :to{step}");
            update = update
                .expression_attribute_values(format!(":from{step}"), number(failures.start()))
                .expression_attribute_values(format!(":to{step}"), number(failures.end()));
            if wait.is_zero() {
                allowed.push(is_of_step);
                continue;
            }
            allowed.push(format!("{is_of_step} AND tried_at <= :before{step}"));
            update = update
                .expression_attribute_values(format!(":before{step}"), milliseconds(now - wait));
        }
        let allowed = allowed.join(") OR (");
        let update = update
            .update_expression(
                "SET failures = if_not_exists(failures, :none) + :one, tried_at = :now, expires = :expires",
            )
            .condition_expression(format!(
                "attribute_not_exists(pk) OR (expires > :seconds AND (({allowed})))"
            ))
            .expression_attribute_values(":none", number(0));
        match write::send("tries.take", update).await? {
            Written::Made(_) => Ok(None),
            Written::Refused(Some(item)) => Ok(Some(serde_dynamo::from_item(item)?)),
            Written::Refused(None) => Err(Error::internal("a refused try has no count")),
        }
    }

    /// Counts the first failure after forgotten ones. Gives `false` if another try was first.
    async fn begin_count(&self, email: &Email, now: Timestamp) -> Result<bool> {
        let update = self
            .trying(email, now)
            .update_expression("SET failures = :one, tried_at = :now, expires = :expires")
            .condition_expression("attribute_not_exists(pk) OR expires <= :seconds");
        Ok(matches!(write::send("tries.begin", update).await?, Written::Made(_)))
    }

    fn trying(&self, email: &Email, now: Timestamp) -> UpdateItemFluentBuilder {
        self.table
            .update(tries_key(email))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":seconds", number(now.as_second()))
            .expression_attribute_values(":expires", number((now + MEMORY).as_second()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// The key has a hash of the address: people mistype passwords as addresses, and addresses of strangers are not kept.
fn tries_key(email: &Email) -> Item {
    key(format!("{TRIES}#{}", BASE64_URL_SAFE_NO_PAD.encode(email.hash())), TRIES)
}
