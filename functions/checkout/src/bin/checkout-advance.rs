//! A job: take an order as far as it goes.

use std::time::Duration;

use checkout::payments::{Stripe, secrets};
use checkout::queues::{Advance, orders};
use checkout::saga::Saga;
use checkout::store::Store;
use inventory::Inventory;
use shared::batch::Message;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::queue::Queue;

/// How long an order may take, and is leased for; the function's own time-out is 5 s more.
const TIME_LIMIT: Duration = Duration::from_secs(85);

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("checkout");
    let aws = shared::aws::load().await;
    let (client, sqs) = (shared::aws::dynamodb(&aws).await, aws_sdk_sqs::Client::new(&aws));
    let key = secrets::read(&aws, var("PAYMENTS_KEY_SECRET")?).await?;
    let saga = Saga {
        store: Store::new(client.clone(), var("CHECKOUT_TABLE")?),
        inventory: Inventory::new(client, var("INVENTORY_TABLE")?),
        payments: Stripe::new(var("PAYMENTS_URL")?, key)?,
        clock: Clock::System,
        ids: Ids::random(Clock::System),
    };
    let queue = |url| Queue::new(sqs.clone(), url);
    let jobs = orders(queue(var("ORDERS_QUEUE_URL")?), queue(var("DEAD_LETTERS_URL")?), TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        let advance = async |job: Message<Advance>| {
            let until = saga.clock.now() + TIME_LIMIT;
            match job.body {
                Advance::V1 { order } => saga.advance(order, until).await,
                Advance::V2 { payment } => saga.compare_payment(&payment, until).await,
            }
        };
        jobs.consume(event, &invocation, advance).await
    })
    .await
}
