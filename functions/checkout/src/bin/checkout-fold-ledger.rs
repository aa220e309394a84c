//! The checkout table's stream: what is written into the ledger goes into the balances.

use checkout::fold_ledger::FoldLedger;
use checkout::store::Store;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let task = FoldLedger {
        store: Store::new(aws_sdk_dynamodb::Client::new(&aws), var("CHECKOUT_TABLE")?),
        ids: Ids::random(Clock::System),
    };
    shared::invocation::run(async |batch, _| task.handle(&batch).await).await
}
