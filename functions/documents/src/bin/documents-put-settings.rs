//! `PUT /v1/document-settings`

use documents::api::put_settings::{PutSettings, router};

use documents::store::Documents;
use shared::clock::Clock;
use shared::config::var;
use shared::webhook::Courier;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("documents");
    let aws = shared::aws::load().await;
    let client = shared::aws::dynamodb(&aws).await;
    let state = PutSettings {
        documents: Documents::new(client, var("DOCUMENTS_TABLE")?),
        courier: Courier::new(var("TRUST_PRIVATE_WEBHOOKS")?)?,
        clock: Clock::System,
    };
    shared::http::serve(router(state)).await
}
