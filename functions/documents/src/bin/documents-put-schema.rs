//! `PUT /v1/document-schemas/{schema}`

use documents::api::put_schema::{PutSchema, router};

use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let state = PutSchema {
        documents: Documents::new(client, var("DOCUMENTS_TABLE")?),

        clock: Clock::System,
    };
    shared::http::serve(router(state)).await
}
