//! A function that panics, fails or succeeds as its message requests. The tests run it against their own
//! Runtime API.

use shared::batch::{Consumer, Failure, Message};
use shared::config::var;
use shared::queue::Queue;

#[tokio::main]
async fn main() -> shared::Result<()> {
    shared::telemetry::init("example");
    let aws = shared::aws::load().await;
    let queue = Queue::new(aws_sdk_sqs::Client::new(&aws), var("QUEUE_URL")?);
    let consumer = Consumer::new(queue);
    shared::invocation::run(async |event, invocation| {
        consumer.consume(event, &invocation, handle).await
    })
    .await
}

async fn handle(message: Message<String>) -> Result<(), Failure> {
    metrics::counter!("MessagesSeen").increment(1);
    match message.body.as_str() {
        "panic" => panic!("requested by the message"),
        "fail" => Err(Failure::permanent("requested by the message")),
        _ => Ok(()),
    }
}
