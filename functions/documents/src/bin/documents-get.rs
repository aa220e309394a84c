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
    let client = shared::aws::dynamodb(&aws).await;
    let state = Get {
        documents: Documents::new(client, var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        clock: Clock::System,
    };
    shared::http::serve(router(state)).await
}
