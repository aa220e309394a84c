//! `GET /v1/ledger`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, SignedIn};

use super::{ADMIN, has_clock};
use crate::ledger::{Account, Balance};
use crate::money::Currency;
use crate::store::Store;

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct GetLedger {
    /// The checkout's table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}
has_clock!(GetLedger);

/// The endpoint's router.
pub fn router(state: GetLedger) -> Router {
    Router::new().route("/v1/ledger", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Answer {
    /// Whether all debits are all credits, currency by currency.
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

/// The balances, as far as the stream has brought them: usually some seconds.
async fn handle(State(state): State<GetLedger>, user: SignedIn) -> Result<Json<Answer>> {
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
