//! Writes to DynamoDB that are made together or not at all.
//!
//! **Guarantees.** [`send`] gives [`Sent::Made`] when all of the writes are made, and
//! [`Sent::Refused`] when a condition among them does not hold and none is. A transaction that others
//! get in the way of is sent again, after a growing wait. Sent again, by the SDK or here, it is still
//! the same transaction: it takes effect once.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use crate::Result;
use crate::backoff::Backoff;
use crate::fault::point;

/// How many items a transaction may change.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MAX_ITEMS: usize = 100;
/// How often a transaction is sent that others get in the way of.
const MAX_TRIES: u32 = 8;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(25), Duration::from_millis(400));

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
/// When DynamoDB does not take it, or others are in its way for too long. It may be made nevertheless
/// if no answer came.
pub async fn send(
    name: &'static str,
    client: &Client,
    token: &str,
    items: Vec<TransactWriteItem>,
) -> Result<Sent> {
    let transaction =
        client.transact_write_items().client_request_token(token).set_transact_items(Some(items));
    let mut tries = 1;
    loop {
        let sent = point(name, || transaction.clone().send()).await;
        let Err(error) = sent.map_err(SdkError::into_service_error) else { return Ok(Sent::Made) };
        match Refusal::of(&error) {
            Refusal::Write(index, item) => return Ok(Sent::Refused { index, item }),
            Refusal::Busy if tries < MAX_TRIES => {
                tokio::time::sleep(BACKOFF.delay(tries)).await;
                tries += 1;
            }
            Refusal::Busy | Refusal::Failed => return Err(error.into()),
        }
    }
}

/// Why a transaction was not made.
enum Refusal {
    /// The condition of one of the writes does not hold.
    Write(usize, Option<HashMap<String, AttributeValue>>),
    /// Another request is at one of the items, or there are too many of them.
    Busy,
    /// For another reason.
    Failed,
}

impl Refusal {
    fn of(error: &TransactWriteItemsError) -> Self {
        let canceled = match error {
            TransactWriteItemsError::TransactionCanceledException(canceled) => canceled,
            TransactWriteItemsError::TransactionInProgressException(_) => return Self::Busy,
            _ => return Self::Failed,
        };
        let reasons = canceled.cancellation_reasons();
        let with_code = |code: &str| reasons.iter().position(|reason| reason.code() == Some(code));
        match with_code("ConditionalCheckFailed") {
            Some(index) => Self::Write(index, reasons[index].item.clone()),
            None => {
                match ["TransactionConflict", "ThrottlingError"].into_iter().find_map(with_code) {
                    Some(_) => Self::Busy,
                    None => Self::Failed,
                }
            }
        }
    }
}
