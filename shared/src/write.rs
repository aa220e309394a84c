//! Single writes to DynamoDB.
//!
//! **Guarantees.** [`send`] gives [`Written::Made`] when the write is made, and [`Written::Refused`] when
//! its condition does not hold and nothing is written. A write that conflicts with a transaction is
//! retried: see [`conflict`].
//!
//! ```no_run
//! # async fn example(client: aws_sdk_dynamodb::Client) -> shared::Result<()> {
//! use aws_sdk_dynamodb::types::AttributeValue;
//! use shared::write::{self, Written};
//!
//! let put = client.put_item().table_name("things").item("id", AttributeValue::S("1".into()));
//! let put = put.condition_expression("attribute_not_exists(id)");
//! let is_new = matches!(write::send("things.put", put).await?, Written::Made(_));
//! # Ok(()) }
//! ```

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::Result;
use crate::conflict::{self, Failed, Item, Sent};

/// A write of one item.
#[derive(Clone, Debug)]
pub enum Write {
    /// Creates or replaces the item.
    Put(PutItemFluentBuilder),
    /// Updates the item.
    Update(UpdateItemFluentBuilder),
    /// Deletes the item.
    Delete(DeleteItemFluentBuilder),
}

/// The outcome of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// The write is made. It has the item if the request's `ReturnValues` requests it.
    Made(Option<HashMap<String, AttributeValue>>),
    /// The condition does not hold, and nothing is written. It has the current item, if the item exists
    /// and the request's `ReturnValuesOnConditionCheckFailure` requests it.
    Refused(Option<HashMap<String, AttributeValue>>),
}

impl From<PutItemFluentBuilder> for Write {
    fn from(put: PutItemFluentBuilder) -> Self {
        Self::Put(put)
    }
}

impl From<UpdateItemFluentBuilder> for Write {
    fn from(update: UpdateItemFluentBuilder) -> Self {
        Self::Update(update)
    }
}

impl From<DeleteItemFluentBuilder> for Write {
    fn from(delete: DeleteItemFluentBuilder) -> Self {
        Self::Delete(delete)
    }
}

/// Sends a write at the fault point `name`. 1 WRU for 1 KB.
///
/// # Errors
/// [`Error::Conflict`](crate::Error::Conflict) when it conflicts with other writes in every attempt; any
/// other error when DynamoDB refuses it or does not answer. Without an answer, it may still be made.
pub async fn send(name: &'static str, write: impl Into<Write>) -> Result<Written> {
    let write = write.into();
    // Boxed, so that the futures of callers stay small.
    Ok(Box::pin(conflict::sent(name, || once(&write))).await?.into())
}

impl From<Sent<Option<Item>>> for Written {
    fn from(sent: Sent<Option<Item>>) -> Self {
        match sent {
            Sent::Made(item) => Self::Made(item),
            Sent::Refused(_, item) => Self::Refused(item),
        }
    }
}

async fn once(write: &Write) -> Result<Option<Item>, Failed> {
    macro_rules! sent {
        ($request:expr, $error:ident) => {
            match $request.clone().send().await.map_err(SdkError::into_service_error) {
                Ok(answer) => Ok(answer.attributes),
                Err($error::ConditionalCheckFailedException(refused)) => {
                    Err(Failed::Refused(0, refused.item))
                }
                Err(error) => Err(Failed::coded(error)),
            }
        };
    }
    match write {
        Write::Put(put) => sent!(put, PutItemError),
        Write::Update(update) => sent!(update, UpdateItemError),
        Write::Delete(delete) => sent!(delete, DeleteItemError),
    }
}
