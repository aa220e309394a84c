//! S3 tells that a file has arrived.

use documents::on_upload::OnUpload;
use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let task = OnUpload {
        documents: Documents::new(aws_sdk_dynamodb::Client::new(&aws), var("DOCUMENTS_TABLE")?),
        jobs: Queue::new(aws_sdk_sqs::Client::new(&aws), var("DOCUMENTS_QUEUE_URL")?),
        clock: Clock::System,
    };
    shared::invocation::run(async |event, _| task.handle(event).await).await
}
