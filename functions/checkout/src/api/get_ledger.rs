//! `GET /v1/ledger`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;
use shared::Result;
use shared::http::{Json, SignedIn};

use super::ADMIN;
use crate::ledger::{Account, Balance};
use crate::money::Currency;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/ledger", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Answer {
    /// Whether debits equal credits for each currency.
    balanced: bool,
    accounts: Vec<AccountBalance>,
}

#[derive(Serialize)]
struct AccountBalance {
    currency: Currency,
    account: Account,
    #[serde(flatten)]
    balance: Balance,
}

/// The balances. They lag behind the entries by some seconds.
async fn handle(State(state): State<System>, user: SignedIn) -> Result<Json<Answer>> {
    user.require(ADMIN)?;
    let trial = state.store.balances().await?;
    let balanced = trial.is_balanced();
    let accounts = trial.0.into_iter().map(|((currency, account), balance)| AccountBalance {
        currency,
        account,
        balance,
    });
    Ok(Json(Answer { balanced, accounts: accounts.collect() }))
}
