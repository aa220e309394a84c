//! `DELETE /v1/documents/{document_id}`

use documents::api::delete::{Delete, router};
use documents::queues::Queues;
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let state = Delete {
        documents: Documents::new(client, var("DOCUMENTS_TABLE")?),
        queues: Queues::of_environment(&aws_sdk_sqs::Client::new(&aws))?,
        clock: Clock::System,
    };
    shared::http::serve(router(state)).await
}
