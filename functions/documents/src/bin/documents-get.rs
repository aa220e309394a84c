//! `GET /v1/documents/{document_id}`

use documents::api::get::{Get, router};
use documents::objects::{self, Objects};
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    shared::http::serve(router(Get {
        documents: Documents::new(shared::aws::dynamodb(&aws).await, var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        clock: Clock::System,
    }))
    .await
}
