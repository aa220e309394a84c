//! Writes to DynamoDB that are made together or not at all.
//!
//! **Guarantees.** [`send`] gives [`Sent::Made`] when all of the writes are made, and
//! [`Sent::Refused`] when a condition among them does not hold and none is. A transaction that others
//! get in the way of is sent again: see [`conflict`]. Sent again, it is still the same
//! transaction: it takes effect once.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use crate::Result;
use crate::conflict::{self, Failed};

/// How many items a transaction may change.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MAX_ITEMS: usize = 100;
/// Reasons that other requests give: the same transaction may be made a moment later.
const CONFLICTS: [&str; 3] =
    ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/// What came of a transaction.
#[derive(Clone, Debug)]
pub enum Sent {
    /// All of it is written.
    Made,
    /// A condition does not hold, and nothing is written.
    Refused {
        /// Which write's: its place, from 0.
        index: usize,
        /// The item, as it is, if the write asks for it.
        item: Option<HashMap<String, AttributeValue>>,
    },
}

/// Sends a transaction at the point that tests know by `name`; `token`, up to 36 characters, tells it
/// from every other. 2 WRU for each item of up to 1 KB.
///
/// # Errors
/// [`Error::Conflict`](crate::Error::Conflict) when other requests are in its way for too long; any
/// other when DynamoDB does not take it. It may be made nevertheless if no answer came.
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
    // Boxed, so that the futures of callers stay shallow.
    Ok(match Box::pin(conflict::sent(name, once)).await? {
        conflict::Sent::Made(()) => Sent::Made,
        conflict::Sent::Refused(index, item) => Sent::Refused { index, item },
    })
}

/// Why a transaction was not made: DynamoDB gives a reason for each of the writes.
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
