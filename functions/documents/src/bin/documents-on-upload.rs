//! S3 tells that a file has arrived.

use documents::objects::{self, Objects};
use documents::on_upload::OnUpload;
use documents::queues::Queues;
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let task = OnUpload {
        documents: Documents::new(aws_sdk_dynamodb::Client::new(&aws), var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        queues: Queues::of_environment(&aws_sdk_sqs::Client::new(&aws))?,
        clock: Clock::System,
    };
    shared::invocation::run(async |event, _| task.handle(event).await).await
}
