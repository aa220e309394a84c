//! Transactions of DynamoDB: all writes are made, or none.
//!
//! **Guarantees.** [`send`] gives [`Sent::Made`] when all of the writes are made, and
//! [`Sent::Refused`] when one of their conditions does not hold and none is made. A transaction that
//! conflicts with other writes is sent again: see [`conflict`]. A retry is the same transaction: it takes
//! effect once.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use crate::Result;
use crate::conflict::{self, Failed};

/// The maximum number of items in a transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MAX_ITEMS: usize = 100;
/// Cancellation reasons that other requests cause: a retry of the same transaction may succeed.
const CONFLICTS: [&str; 3] =
    ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/// The outcome of a transaction.
#[derive(Clone, Debug)]
pub enum Sent {
    /// All writes are made.
    Made,
    /// A condition does not hold, and nothing is written.
    Refused {
        /// The index of the write whose condition does not hold, from 0.
        index: usize,
        /// The current item, if the write returns it.
        item: Option<HashMap<String, AttributeValue>>,
    },
}

/// Sends a transaction at the fault point `name`. `token`, up to 36 characters, identifies it: no other
/// transaction may have the same. 2 WRU for each item of up to 1 KB.
///
/// # Errors
/// [`Error::Conflict`](crate::Error::Conflict) when it conflicts with other writes in every attempt; any
/// other error when DynamoDB refuses it or does not answer. Without an answer, it may still be made.
pub async fn send(
    name: &'static str,
    client: &Client,
    token: &str,
    items: Vec<TransactWriteItem>,
) -> Result<Sent> {
    let transaction =
        client.transact_write_items().client_request_token(token).set_transact_items(Some(items));
    let once = async || match transaction.clone().send().await {
        Ok(_) => Ok(()),
        Err(error) => Err(failed(error.into_service_error())),
    };
    // Boxed, so that the futures of callers stay small.
    Ok(match Box::pin(conflict::sent(name, once)).await? {
        conflict::Sent::Made(()) => Sent::Made,
        conflict::Sent::Refused(index, item) => Sent::Refused { index, item },
    })
}

/// Classifies the error of a transaction. DynamoDB gives a reason for each write.
fn failed(error: TransactWriteItemsError) -> Failed {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = &error else {
        return Failed::coded(error);
    };
    let reasons = canceled.cancellation_reasons();
    let with_code = |code: &str| reasons.iter().position(|reason| reason.code() == Some(code));
    match with_code("ConditionalCheckFailed") {
        Some(index) => Failed::Refused(index, reasons[index].item.clone()),
        None if CONFLICTS.into_iter().any(|code| with_code(code).is_some()) => {
            Failed::Conflict(error.into())
        }
        None => Failed::Other(error.into()),
    }
}
