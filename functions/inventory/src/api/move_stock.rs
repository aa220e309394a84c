//! `POST /v1/stock/{sku}/movements`

use axum::Router;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::{Allowed, Json, Path, SignedIn, StatusCode};
use shared::idempotency::{Commit, Outcome};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::Admin;
use crate::movement::{BucketCount, Movement, Note, Quantity, Reason, Refusal, changes};
use crate::sku::Sku;
use crate::stock::MAX_STOCK;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    transactional(contract::route!(handle).with_state(state), records)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<Created>(StatusCode::CREATED)
        .links(&OF_PRODUCT, "sku", "$response.body#/sku")
        .refuses(&[NOT_ENOUGH_STOCK, TOO_MUCH_STOCK])
}

/// What shows the stock that was moved.
const OF_PRODUCT: [&str; 2] = ["inventory-get-stock", "inventory-list-movements"];

const NOT_ENOUGH_STOCK: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "not-enough-stock", "There is not enough stock");
const TOO_MUCH_STOCK: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "too-much-stock", "The stock would exceed the limit");

/// A new movement.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MovementRequest)]
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

/// A product's movement.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedMovement)]
struct Created {
    sku: Sku,
    #[serde(flatten)]
    movement: Movement,
}

/// Adds, removes or corrects stock.
#[utoipa::path(post, path = "/v1/stock/{sku}/movements")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Admin>,
    transaction: Transaction,
    Path(sku): Path<Sku>,
    Json(request): Json<Request>,
) -> Result<Outcome<Saved>> {
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
            let detail = format!("{available} are available");
            Problem::of(NOT_ENOUGH_STOCK).field("quantity", detail)
        }
        Refusal::TooMuch => {
            let detail = format!("a product has at most {MAX_STOCK} units");
            Problem::of(TOO_MUCH_STOCK).field("quantity", detail)
        }
    }
}
