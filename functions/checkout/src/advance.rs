//! A queue consumer: advances an order until no step is left.

use std::time::Duration;

use shared::Result;
use shared::batch::Message;
use shared::program::Environment;

use crate::queues::{self, Advance};
use crate::saga::Saga;
use crate::system;

/// The time limit for one order, and the length of its lease. The function's own timeout is 5 s longer.
const TIME_LIMIT: Duration = Duration::from_secs(85);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    environment.connect().await;
    let saga = Saga {
        store: system::store(environment)?,
        inventory: system::inventory(environment)?,
        payments: system::payments(environment).await?,
        clock: environment.clock.clone(),
        ids: environment.ids(),
    };
    let (orders, dead_letters) = (system::orders(environment)?, environment.dead_letters()?);
    let jobs = queues::orders(orders, dead_letters, TIME_LIMIT);
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
