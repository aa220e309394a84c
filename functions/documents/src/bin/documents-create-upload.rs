//! `POST /v1/documents`

use documents::allowance::Allowance;
use documents::api::create_upload::{CreateUpload, router};
use documents::budget::Budgets;
use documents::objects::{self, Objects};
use documents::store::Documents;
use shared::Error;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::idempotency::Records;
use shared::rate_limit::RateLimiter;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let requests: String = var("REQUESTS_TABLE")?;
    let records = Records::new(client.clone(), requests.clone(), Clock::System);
    let budgets = Budgets::new(client.clone(), requests.clone(), Clock::System);
    let limiter = RateLimiter::new(client.clone(), requests, Clock::System);
    let state = CreateUpload {
        documents: Documents::new(client, var("DOCUMENTS_TABLE")?),
        objects: Objects::new(objects::client(&aws), var("DOCUMENTS_BUCKET")?),
        credentials: aws.credentials_provider().ok_or(Error::internal("no credentials"))?,
        region: var("AWS_REGION")?,
        budgets,
        allowance: Allowance {
            upload_bytes: var("DAILY_UPLOAD_BYTES")?,
            scans: var("DAILY_SCANS")?,
        },
        max_bytes: var("MAX_UPLOAD_BYTES")?,
        ids: Ids::random(Clock::System),
        clock: Clock::System,
    };
    shared::http::serve(router(state, records, limiter)).await
}
