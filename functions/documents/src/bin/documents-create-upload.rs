//! `POST /v1/documents`

use documents::api::create_upload::{CreateUpload, router};
use documents::objects::{self, Objects};
use documents::store::Documents;
use shared::Error;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    shared::http::serve(router(CreateUpload {
        documents: Documents::new(aws_sdk_dynamodb::Client::new(&aws), var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        credentials: aws.credentials_provider().ok_or(Error::internal("no credentials"))?,
        region: var("AWS_REGION")?,
        max_bytes: var("MAX_UPLOAD_BYTES")?,
        ids: Ids::random(Clock::System),
        clock: Clock::System,
    }))
    .await
}
