//! On a schedule: documents of which nothing was heard for too long.

use documents::budget::Budgets;
use documents::objects::{self, Objects};
use documents::on_upload::OnUpload;
use documents::queues::Queues;
use documents::store::Documents;
use documents::sweep::Sweep;
use serde_json::Value;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let on_upload = OnUpload {
        documents: Documents::new(dynamodb.clone(), var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        queues: Queues::of_environment(&aws_sdk_sqs::Client::new(&aws))?,
        budgets: Budgets::new(dynamodb, var("REQUESTS_TABLE")?, Clock::System),
        clock: Clock::System,
    };
    let task = Sweep { on_upload };
    shared::invocation::run(async |_: Value, invocation| task.handle(&invocation).await).await
}
