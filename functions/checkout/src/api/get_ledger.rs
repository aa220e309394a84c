//! `GET /v1/ledger`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::Admin;
use crate::ledger::{Account, Balance};
use crate::money::Currency;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Answer>(StatusCode::OK)
}

/// The balances of all accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = Ledger)]
struct Answer {
    /// Whether debits equal credits for each currency.
    balanced: bool,
    /// The balance of each account in each currency.
    accounts: Vec<AccountBalance>,
}

/// The balance of an account in a currency.
#[derive(Serialize, ToSchema)]
struct AccountBalance {
    currency: Currency,
    account: Account,
    #[serde(flatten)]
    balance: Balance,
}

/// Shows the balances of the ledger. They lag behind the entries by some seconds.
#[utoipa::path(get, path = "/v1/ledger")]
async fn handle(State(state): State<System>, _: Allowed<Admin>) -> Result<Json<Answer>> {
    let trial = state.store.balances().await?;
    let balanced = trial.is_balanced();
    let accounts = trial.0.into_iter().map(|((currency, account), balance)| AccountBalance {
        currency,
        account,
        balance,
    });
    Ok(Json(Answer { balanced, accounts: accounts.collect() }))
}
