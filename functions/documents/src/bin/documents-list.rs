//! `GET /v1/documents`

use documents::api::list::{List, router};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    shared::http::serve(router(List {
        documents: Documents::new(shared::aws::dynamodb(&aws).await, var("DOCUMENTS_TABLE")?),
        clock: Clock::System,
    }))
    .await
}
