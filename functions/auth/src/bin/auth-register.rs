//! `POST /v1/auth/register`

use auth::api::register::{Register, router};
use auth::store::Users;
use shared::clock::Clock;
use shared::id::Ids;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("auth");
    let aws = shared::aws::load().await;
    let table = shared::config::var("AUTH_TABLE")?;
    shared::http::serve(router(Register {
        users: Users::new(aws_sdk_dynamodb::Client::new(&aws), table),
        ids: Ids::random(Clock::System),
        clock: Clock::System,
    }))
    .await
}
