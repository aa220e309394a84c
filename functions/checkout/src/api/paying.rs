//! Shared code of the endpoints that take a payment method.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, LOCATION};
use axum::response::{IntoResponse, Response};
use shared::http::idempotency::Saved;
use shared::http::prefer::{self, Pauses};
use shared::http::{Json, StatusCode};
use shared::idempotency::Outcome;
use shared::problem::{Problem, ProblemType};
use shared::{Error, Result};

use super::View;
use crate::store::Store;

/// 422: the text cannot be an id of a payment method.
pub(super) const INVALID_PAYMENT_METHOD: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-payment-method",
    "The payment method is not valid",
);

/// Refuses (422) a text that cannot be the provider's id of a payment method: 1 to 64 letters, digits and
/// `_`.
pub(super) fn check_payment_method(id: &str) -> Result<(), Problem> {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (1..=64).contains(&id.len()) && id.bytes().all(is_one) {
        return Ok(());
    }
    Err(Problem::of(INVALID_PAYMENT_METHOD)
        .field("payment_method", "an id from the payment provider: pm_…"))
}

/// The response. If the request has `Prefer: wait=<seconds>`, the response waits until the order of its
/// `Location` has ended or needs the customer (200), or until the time is over (202).
pub(super) async fn respond(
    store: &Store,
    outcome: Outcome<Saved>,
    headers: &HeaderMap,
) -> Result<Response> {
    let answer = outcome.into_response();
    let Some(wait) = prefer::wait(headers) else { return Ok(answer) };
    let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let id = location.and_then(|path| path.strip_prefix("/v1/orders/")?.parse().ok());
    let Some(id) = id else { return Ok(answer) };
    let mut pauses = Pauses::within(wait);
    let (order, status) = loop {
        let order = store.order(id).await?;
        let order = order.ok_or_else(|| Error::internal("the order does not exist"))?;
        if order.has_ended() || order.waits_for_customer() {
            break (order, StatusCode::OK);
        }
        if !pauses.pause().await {
            break (order, StatusCode::ACCEPTED);
        }
    };
    let mut headers = answer.headers().clone();
    headers.remove(CONTENT_LENGTH);
    let answer = (status, headers, Json(View::of(&order))).into_response();
    Ok(prefer::applied(answer))
}
