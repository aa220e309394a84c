//! Logs, metrics and traces.
//!
//! **Guarantees.** Logs and metrics of an invocation are written before the next invocation starts.
//! Metrics and traces are sent after Lambda has the answer, so no answer waits for them.
//!
//! ```no_run
//! shared::telemetry::init("documents");
//! tracing::info!(document_id = "doc_1", pages = 8, "read");
//! metrics::counter!("DocumentsReady").increment(1);
//! ```
//!
//! **Logs** are JSON on standard output, one object in each line, with the field names of
//! [Powertools for AWS Lambda](https://docs.powertools.aws.dev/lambda/python/latest/core/logger/):
//! `level`, `location`, `message`, `timestamp`, `service`, then the invocation's fields, then the
//! event's own. `LOG_LEVEL` has a level, or [levels of targets](Targets) such as
//! `info,documents=debug`; the default is `info`. `LOG_SAMPLE_RATE`, from 0 (the default) to 1, is the
//! share of invocations that log this workspace's own lines down to `debug`. Keep secrets in
//! `secrecy::SecretString`, which has no `Display` and whose `Debug` does not show the value.
//!
//! **Metrics** are recorded with the macros of [`metrics`] and written as lines in CloudWatch's
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html),
//! in the namespace `Arsenal` with the dimensions `service` and `function_name`. Every label adds a
//! dimension, and every combination of values is a metric that costs money. Recorded for every function:
//!
//! | metric | |
//! |---|---|
//! | `ColdStart` | invocations that were the first of their environment |
//! | `Latency` | the duration of the handler, in milliseconds |
//! | `Success`, `Failure` | the outcomes of tasks |
//! | `Success`, `ClientError`, `ServerError` | the outcomes of requests: below 400, 4xx, 5xx |
//! | `RecordsSucceeded`, `RecordsFailed`, `RecordsGivenUp`, `RecordsNotStarted` | the outcomes of records of [batches](crate::batch) |
//!
//! **Traces** are propagated by [`trace`](crate::trace). In a build with the feature `otlp`, and with
//! `OTEL_EXPORTER_OTLP_ENDPOINT` set, a span of each invocation and of each record of a batch is sent
//! to that collector (OTLP over HTTP, protocol buffers). An invocation waits for that for at most 1 s,
//! after its answer; unsent spans are sent with the next invocation, or are dropped. The variables of the
//! OpenTelemetry SDK apply: `OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS` and so on.

mod emf;
#[cfg(feature = "otlp")]
mod otlp;

use std::io;
use std::time::{Instant, SystemTime};

use json_subscriber::JsonLayer;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{DynFilterFn, FilterExt, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::invocation::{self, Invocation};

/// Sets up logs, metrics and traces for the functions of `service`. Call it once, at cold start.
pub fn init(service: &'static str) {
    let level = std::env::var("LOG_LEVEL").unwrap_or_default();
    let filter = filter(service, &level, invocation::log_sample_rate());
    tracing_subscriber::registry().with(layer(service, io::stdout).with_filter(filter)).init();
    if invocation::log_sample_rate().is_nan() {
        tracing::error!("environment variable LOG_SAMPLE_RATE is not valid: a number from 0 to 1");
    }
    for part in levels(&level).filter_map(Result::err) {
        tracing::error!(part, "a part of the environment variable LOG_LEVEL is not valid");
    }
    emf::init(service);
    #[cfg(feature = "otlp")]
    otlp::init(service);
}

/// The filter of `level`, which also passes the lines of `service` and of `shared` down to `debug` in sampled
/// invocations.
fn filter<S: Subscriber>(
    service: &'static str,
    level: &str,
    sample_rate: f64,
) -> Box<dyn Filter<S> + Send + Sync> {
    let filter = targets(level);
    if sample_rate > 0.0 {
        let sampled = DynFilterFn::new(move |metadata, _| {
            let target = metadata.target();
            let is_ours = [service, "shared"].iter().any(|own| target.starts_with(own));
            is_ours && invocation::current().is_some_and(|current| current.is_log_sampled)
        });
        Box::new(filter.or(sampled.with_max_level_hint(LevelFilter::DEBUG)))
    } else {
        Box::new(filter)
    }
}

/// The parts of `LOG_LEVEL`: a level, of a target or of all others; or the text of an invalid part.
fn levels(text: &str) -> impl Iterator<Item = Result<(Option<&str>, LevelFilter), &str>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| {
        let (target, level) = part.split_once('=').map_or((None, part), |(t, l)| (Some(t), l));
        level.parse().map(|level| (target, level)).map_err(|_| part)
    })
}

/// Parses `LOG_LEVEL` to a filter. An invalid part is ignored.
fn targets(text: &str) -> Targets {
    let mut targets = Targets::new().with_default(LevelFilter::INFO);
    for (target, level) in levels(text).flatten() {
        targets = match target {
            Some(target) => targets.with_target(target, level),
            None => targets.with_default(level),
        };
    }
    targets
}

/// The kind of work of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A request over HTTP.
    Request,
    /// A task: an event, a batch or a record of it.
    Task,
}

/// Measures a piece of work and reports its end.
pub(crate) struct Watch {
    kind: Kind,
    started: Instant,
    started_at: SystemTime,
}

impl Watch {
    /// Starts the measurement.
    pub(crate) fn start(kind: Kind) -> Self {
        Self { kind, started: Instant::now(), started_at: SystemTime::now() }
    }

    /// The time since the start, in milliseconds, to the microsecond.
    pub(crate) fn milliseconds(&self) -> f64 {
        let micros = u32::try_from(self.started.elapsed().as_micros()).unwrap_or(u32::MAX);
        f64::from(micros) / 1000.0
    }

    /// Reports the end of an invocation; `outcome` is the metric that counts it.
    pub(crate) fn invocation_ended(&self, invocation: &Invocation, outcome: &'static str) {
        if invocation.cold_start {
            metrics::counter!("ColdStart").increment(1);
        }
        metrics::histogram!("Latency").record(self.milliseconds());
        metrics::counter!(outcome).increment(1);
        emf::note(invocation);
        self.ended(invocation, !matches!(outcome, "Success" | "ClientError"));
    }

    /// Reports the end of an invocation or of a record: ends its span.
    pub(crate) fn ended(&self, invocation: &Invocation, failed: bool) {
        #[cfg(feature = "otlp")]
        otlp::span(self, invocation, failed);
        #[cfg(not(feature = "otlp"))]
        let _ = (self.kind, self.started_at, invocation, failed);
    }
}

/// Sends metrics and traces. Called after Lambda has the answer.
pub(crate) async fn flush() {
    emf::flush();
    #[cfg(feature = "otlp")]
    otlp::flush().await;
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

    fn invocation() -> Invocation {
        let mut context = Context::default();
        context.request_id = "req-1".into();
        context.xray_trace_id = Some(
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".into(),
        );
        Invocation::of(&context, Some("api-1".into()))
    }

    /// The log lines of `work`.
    async fn logged(
        sample_rate: f64,
        work: impl Future<Output = ()>,
        change: impl Fn(&mut Invocation),
    ) -> Vec<Value> {
        let captured = Captured::default();
        let writer = captured.clone();
        let layer = layer("documents", move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter(
            "documents",
            "info",
            sample_rate,
        )));
        let guard = tracing::subscriber::set_default(subscriber);
        let mut invocation = invocation();
        change(&mut invocation);
        invocation.scope(work).await;
        drop(guard);
        let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test]
    async fn a_line_has_powertools_fields() {
        let work = async { tracing::warn!(document_id = "doc_1", pages = 3, "read") };
        let lines = logged(0.0, work, |_| {}).await;
        let line = &lines[0];
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "read");
        assert_eq!(line["service"], "documents");
        assert_eq!(line["function_request_id"], "req-1");
        assert_eq!(line["correlation_id"], "api-1");
        assert_eq!(line["xray_trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(line["trace_id"], "5759e988bd862e3fe1be46a994272793");
        assert_eq!(line["document_id"], "doc_1");
        assert_eq!(line["pages"], 3);
        assert!(line["cold_start"].is_boolean());
        assert!(line["location"].as_str().unwrap().starts_with("shared::telemetry::tests:"));
        assert!(line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }

    #[tokio::test]
    async fn a_secret_is_not_logged() {
        let secret = secrecy::SecretString::from("hunter2");
        let lines = logged(0.0, async { tracing::info!(?secret, "read {secret:?}") }, |_| {}).await;
        let line = lines[0].to_string();
        assert!(line.contains("REDACTED") && !line.contains("hunter2"), "{line}");
    }

    #[test]
    fn a_level_applies_to_all_targets_or_to_one() {
        use tracing::Level;
        for (text, ours, theirs) in [
            ("", Level::INFO, Level::INFO),
            ("WARN", Level::WARN, Level::WARN),
            ("info,documents=debug", Level::DEBUG, Level::INFO),
            (" error , documents::store=trace", Level::TRACE, Level::ERROR),
            ("loud,documents=loud", Level::INFO, Level::INFO),
            ("loud,documents=debug", Level::DEBUG, Level::INFO),
        ] {
            let filter = targets(text);
            for (target, most) in [("documents::store", ours), ("hyper_util::client", theirs)] {
                for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                    assert_eq!(
                        filter.would_enable(target, &level),
                        level <= most,
                        "{text:?} {target}"
                    );
                }
            }
        }
    }

    #[tokio::test]
    async fn a_sampled_invocation_logs_our_own_lines_down_to_debug() {
        let work = || async {
            tracing::debug!("ours");
            tracing::debug!(target: "documents::store", "ours too");
            tracing::debug!(target: "hyper_util::client", "theirs");
            tracing::trace!("too much");
            tracing::info!(target: "hyper_util::client", "as ever");
        };
        let messages = |lines: Vec<Value>| -> Vec<String> {
            lines.iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
        };
        let sampled = logged(0.5, work(), |invocation| invocation.is_log_sampled = true).await;
        assert_eq!(messages(sampled), ["ours", "ours too", "as ever"]);
        let other = logged(0.5, work(), |invocation| invocation.is_log_sampled = false).await;
        assert_eq!(messages(other), ["as ever"]);
        let never = logged(0.0, work(), |invocation| invocation.is_log_sampled = true).await;
        assert_eq!(messages(never), ["as ever"]);
    }
}
