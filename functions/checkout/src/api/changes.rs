//! Changes of what others may change at the same time: read, change, write if nobody was faster.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use shared::backoff::Backoff;
use shared::http::idempotency::{Saved, Transaction};
use shared::http::{SignedIn, StatusCode};
use shared::id::UserId;
use shared::idempotency::{Commit, IdempotencyError, Outcome};
use shared::problem::Problem;
use shared::{Error, Result};

use super::ADMIN;
use crate::cart::{Cart, CartError};
use crate::order::{Order, OrderId};
use crate::store::{CONFLICT, Store};

/// How often a change is tried that others get in the way of.
const MAX_TRIES: u32 = 10;
/// How long to wait before the next try.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(25), Duration::from_millis(400));

/// What comes of an attempt that is made again as long as others are faster, and then gives nothing.
pub(super) async fn tried<T, Fut>(attempt: impl Fn() -> Fut) -> Result<T>
where
    Fut: Future<Output = Result<Option<T>>>,
{
    for tries in 1..=MAX_TRIES {
        match attempt().await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => {}
            // It was sent again for some seconds already.
            Err(error) if is_conflict(&error) => break,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(BACKOFF.delay(tries)).await;
    }
    let title = "Others are changing this at the same time";
    Err(Problem::new(StatusCode::CONFLICT, "changed-meanwhile", title)
        .detail("Send the same request again.")
        .header(RETRY_AFTER, HeaderValue::from(1))
        .into())
}

/// Whether a transaction of others was at the same items for too long.
fn is_conflict(error: &Error) -> bool {
    let Error::Internal(error) = error else { return false };
    let code = match error.downcast_ref::<TransactWriteItemsError>() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            let mut reasons = canceled.cancellation_reasons().iter();
            return reasons.any(|reason| reason.code() == Some("TransactionConflict"));
        }
        Some(error) => error.code(),
        None => error.downcast_ref::<PutItemError>().and_then(ProvideErrorMetadata::code),
    };
    code == Some(CONFLICT) || code == Some("TransactionInProgressException")
}

/// The same for attempts that commit what they do together with the request's answer. A request that
/// would be refused as things stand gets the answer that it got before, if it did: it may have brought
/// that about itself.
pub(super) async fn tried_once<Fut>(
    transaction: &Transaction,
    attempt: impl Fn() -> Fut,
) -> Result<Outcome<Saved>>
where
    Fut: Future<Output = Result<Option<Outcome<Saved>>>>,
{
    match tried(attempt).await {
        Err(Error::Problem(problem)) => transaction.answered().await?.ok_or(problem.into()),
        done => done,
    }
}

/// Commits what an attempt does and answers; gives nothing if others were faster.
pub(super) async fn committed(
    transaction: &Transaction,
    commit: Commit<Saved>,
) -> Result<Option<Outcome<Saved>>> {
    match transaction.commit(commit).await {
        Err(IdempotencyError::Refused { .. }) => Ok(None),
        outcome => Ok(Some(outcome?)),
    }
}

/// Changes the customer's cart.
pub(super) async fn changed(
    store: &Store,
    customer: UserId,
    change: impl Fn(&mut Cart) -> Result<(), CartError>,
) -> Result<Cart> {
    let attempt = || async {
        let mut cart = store.cart(customer).await?;
        change(&mut cart).map_err(refused)?;
        Ok(store.put_cart(customer, &cart).await?.then_some(cart))
    };
    tried(attempt).await
}

/// The order, if it is the user's, or the user keeps the shop.
pub(super) async fn visible(store: &Store, id: OrderId, user: &SignedIn) -> Result<Order> {
    let order = store.order(id).await?;
    let order =
        order.filter(|order| order.placed.customer == user.user || user.require(ADMIN).is_ok());
    Ok(order.ok_or_else(|| Problem::not_found("order"))?)
}

/// What is answered when a cart cannot be changed so.
pub(super) fn refused(error: CartError) -> Error {
    let field = match error {
        CartError::Quantity | CartError::Total => "quantity",
        CartError::TooManyLines | CartError::Currencies => "sku",
    };
    let title = "The cart cannot be changed so";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-cart", title)
        .field(field, error.to_string())
        .into()
}
