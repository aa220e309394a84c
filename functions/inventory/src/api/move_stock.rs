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
struct Request {
    /// The added quantity. A negative quantity is removed.
    quantity: Quantity,
    /// The reason.
    reason: Reason,
    /// A note for people to read.
    #[serde(default)]
    note: Option<Note>,
    /// The minimum number of buckets. The number of buckets never decreases.
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
    Json(request): Json<Request>,
) -> Result<Outcome<Saved>> {
    user.require(ADMIN)?;
    let attempt = async || {
        let commit = plan(&state, &user, &sku, request.clone()).await?;
        transaction.try_commit(commit).await
    };
    transaction.retried(attempt).await
}

/// The commit of the movement or of its refusal. A refusal is saved under the idempotency key too: an
/// earlier delivery of the same request may have succeeded, and then the commit returns its saved response.
async fn plan(
    state: &System,
    user: &SignedIn,
    sku: &Sku,
    request: Request,
) -> Result<Commit<Saved>> {
    let ledger = state.inventory.product_stock(sku).await?;
    let changes = match changes(&ledger.buckets, request.quantity, request.buckets) {
        Ok(changes) => changes,
        Err(refusal) => return Ok(Commit::new(Saved::of(refused(refusal)).await?)),
    };
    let movement = Movement {
        number: ledger.movements + 1,
        quantity: request.quantity,
        reason: request.reason,
        note: request.note,
        by: user.user,
        at: state.clock.now(),
    };
    let writes = state.inventory.movement_writes(sku, &movement, &changes)?;
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
            let title = "The stock would exceed the limit";
            let detail = format!("a product has at most {MAX_STOCK} units");
            Problem::new(StatusCode::CONFLICT, "too-much-stock", title).field("quantity", detail)
        }
    }
}
