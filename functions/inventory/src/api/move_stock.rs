//! `POST /v1/stock/{sku}/movements`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::idempotency::{Commit, Outcome};
use shared::problem::Problem;

use super::ADMIN;
use crate::movement::{BucketCount, Movement, Note, Quantity, Reason, Refusal, changes};
use crate::sku::Sku;
use crate::stock::MAX_STOCK;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    let router = Router::new().route("/v1/stock/{sku}/movements", post(handle)).with_state(state);
    transactional(router, records)
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// How many come, or, below zero, are taken off.
    quantity: Quantity,
    /// Why.
    reason: Reason,
    /// Anything to be remembered of it.
    #[serde(default)]
    note: Option<Note>,
    /// How many buckets there should be at least. There are never fewer than there were.
    #[serde(default)]
    buckets: BucketCount,
}

#[derive(Serialize)]
struct Created {
    sku: Sku,
    #[serde(flatten)]
    movement: Movement,
}

async fn handle(
    State(state): State<System>,
    user: SignedIn,
    transaction: Transaction,
    Path(sku): Path<Sku>,
    Json(wanted): Json<Wanted>,
) -> Result<Outcome<Saved>> {
    user.require(ADMIN)?;
    let attempt = async || {
        let commit = plan(&state, &user, &sku, wanted.clone()).await?;
        transaction.try_commit(commit).await
    };
    transaction.retried(attempt).await
}

/// The movement, or its refusal: that is saved as an answer too, for the same request may have been
/// made before, when there was enough; then it gets the answer that it got then.
async fn plan(state: &System, user: &SignedIn, sku: &Sku, wanted: Wanted) -> Result<Commit<Saved>> {
    let ledger = state.inventory.ledger(sku).await?;
    let changes = match changes(&ledger.buckets, wanted.quantity, wanted.buckets) {
        Ok(changes) => changes,
        Err(refusal) => return Ok(Commit::new(Saved::of(refused(refusal)).await?)),
    };
    let movement = Movement {
        number: ledger.movements + 1,
        quantity: wanted.quantity,
        reason: wanted.reason,
        note: wanted.note,
        by: user.user,
        at: state.clock.now(),
    };
    let writes = state.inventory.moving(sku, &movement, &changes)?;
    let created = Created { sku: sku.clone(), movement };
    let answer = Saved::of((StatusCode::CREATED, Json(created))).await?;
    Ok(writes.into_iter().fold(Commit::new(answer), Commit::write))
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotEnough(available) => {
            let title = "There is not enough stock";
            let detail = format!("{available} are available");
            Problem::new(StatusCode::CONFLICT, "not-enough-stock", title).field("quantity", detail)
        }
        Refusal::TooMuch => {
            let title = "There would be too much stock";
            let detail = format!("there may be {MAX_STOCK} of a product");
            Problem::new(StatusCode::CONFLICT, "too-much-stock", title).field("quantity", detail)
        }
    }
}
