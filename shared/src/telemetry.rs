//! JSON logs on standard output, one object a line, in the field names of
//! [Powertools for AWS Lambda](https://docs.powertools.aws.dev/lambda/python/latest/core/logger/):
//! `level`, `location`, `message`, `timestamp`, `service`, then the invocation's fields, then
//! the event's own.

use std::io;

use json_subscriber::JsonLayer;
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::invocation;

/// Sends what the function logs to standard output. `LOG_LEVEL` takes a level or a
/// [filter](EnvFilter) such as `info,documents=debug`; `info` unless set.
pub fn init(service: &'static str) {
    let level = std::env::var("LOG_LEVEL").unwrap_or_default();
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .parse_lossy(level.to_lowercase());
    tracing_subscriber::registry().with(layer(service, io::stdout).with_filter(filter)).init();
}

fn layer<S, W>(service: &'static str, writer: W) -> JsonLayer<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    let mut layer = JsonLayer::new(writer);
    layer.with_level("level");
    layer.add_static_field("service", service.into());
    layer.add_dynamic_field("timestamp", |_, _| Some(crate::clock::Clock::System.now()));
    layer.add_dynamic_field("location", |event, _| {
        let metadata = event.metadata();
        Some(format!("{}:{}", metadata.target(), metadata.line().unwrap_or_default()))
    });
    layer.add_multiple_dynamic_fields(|_, _, writer| {
        let Some(current) = invocation::current() else { return };
        let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(current) else { return };
        for (name, value) in fields {
            let _ = writer.write_field(&name, value);
        }
    });
    layer.with_flattened_event();
    layer
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use lambda_runtime::Context;
    use serde_json::Value;

    use super::*;
    use crate::invocation::Invocation;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_has_powertools_fields() {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber =
            tracing_subscriber::registry().with(layer("documents", move || writer.clone()));
        let guard = tracing::subscriber::set_default(subscriber);
        let mut context = Context::default();
        context.request_id = "req-1".into();
        context.xray_trace_id = Some("Root=1-abc;Parent=def;Sampled=1".into());
        Invocation::of(&context, Some("api-1".into()))
            .scope(async { tracing::warn!(document_id = "doc_1", pages = 3, "read") })
            .await;
        drop(guard);

        let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        let line: Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "read");
        assert_eq!(line["service"], "documents");
        assert_eq!(line["function_request_id"], "req-1");
        assert_eq!(line["correlation_id"], "api-1");
        assert_eq!(line["xray_trace_id"], "1-abc");
        assert_eq!(line["document_id"], "doc_1");
        assert_eq!(line["pages"], 3);
        assert!(line["cold_start"].is_boolean());
        assert!(line["location"].as_str().unwrap().starts_with("shared::telemetry::tests:"));
        assert!(line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }
}
