use std::io;
use std::sync::OnceLock;

use metrics::Unit;
use metrics_cloudwatch_embedded::{Builder, Collector};

use crate::invocation::Invocation;

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Starts to collect metrics.
pub(super) fn init(service: &'static str) {
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    let collector = Builder::new()
        .cloudwatch_namespace("Arsenal")
        .with_dimension("service", service)
        .with_dimension("function_name", function)
        .init();
    match collector {
        Ok(collector) => {
            let _ = COLLECTOR.set(collector);
            describe();
        }
        Err(error) => tracing::error!(error = %error, "metrics are off"),
    }
}

fn describe() {
    metrics::describe_histogram!("Latency", Unit::Milliseconds, "");
    for counter in [
        "ColdStart",
        "Success",
        "Failure",
        "ClientError",
        "ServerError",
        "RecordsSucceeded",
        "RecordsFailed",
        "RecordsGivenUp",
        "RecordsNotStarted",
    ] {
        metrics::describe_counter!(counter, Unit::Count, "");
    }
}

/// Adds the ids of the invocation to the metrics, so that its log lines can be found.
pub(super) fn note(invocation: &Invocation) {
    if let Some(collector) = COLLECTOR.get() {
        collector.set_property("function_request_id", invocation.function_request_id.clone());
        collector.set_property("correlation_id", invocation.correlation_id.clone());
    }
}

/// Writes the metrics since the last flush.
pub(super) fn flush() {
    if let Some(collector) = COLLECTOR.get()
        && let Err(error) = collector.flush(io::stdout().lock())
    {
        tracing::error!(error = %error, "metrics not written");
    }
}
