use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::Span as _;
use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider};

use super::{Kind, Watch};
use crate::invocation::Invocation;
use crate::trace::TraceContext;

/// The maximum wait of an invocation for its spans to be sent, after its answer.
const EXPORT_TIME: Duration = Duration::from_secs(1);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

thread_local! {
    /// The ids of the span that is being built.
    static OWN: Cell<Option<TraceContext>> = const { Cell::new(None) };
}

/// Starts to send spans, if a collector is configured.
pub(super) fn init(service: &'static str) {
    if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_none() {
        return;
    }
    match SpanExporter::builder().with_http().build() {
        Ok(exporter) => {
            let provider = SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_id_generator(OwnIds::default())
                .with_resource(Resource::builder().with_service_name(service).build())
                .build();
            let _ = PROVIDER.set(provider);
        }
        Err(error) => tracing::error!(error = %error, "traces are off"),
    }
}

/// Records a span that has ended, with the ids that the invocation has already sent to other services.
pub(super) fn span(watch: &Watch, invocation: &Invocation, failed: bool) {
    let Some(provider) = PROVIDER.get() else { return };
    let kind = match watch.kind {
        Kind::Request => SpanKind::Server,
        Kind::Task => SpanKind::Consumer,
    };
    let builder = SpanBuilder::from_name(invocation.function_name.clone())
        .with_kind(kind)
        .with_start_time(watch.started_at)
        .with_attributes([
            KeyValue::new("faas.name", invocation.function_name.clone()),
            KeyValue::new("faas.invocation_id", invocation.function_request_id.clone()),
            KeyValue::new("faas.coldstart", invocation.cold_start),
            KeyValue::new("correlation_id", invocation.correlation_id.clone()),
        ]);
    let parent = invocation.parent.map_or_else(Context::new, |parent| {
        Context::new().with_remote_span_context(SpanContext::new(
            TraceId::from_bytes(parent.trace_id.to_be_bytes()),
            SpanId::from_bytes(parent.span_id.to_be_bytes()),
            TraceFlags::new(u8::from(parent.is_sampled)),
            true,
            TraceState::NONE,
        ))
    });
    OWN.set(Some(invocation.trace));
    let mut span = provider.tracer("arsenal").build_with_context(builder, &parent);
    OWN.set(None);
    if failed {
        span.set_status(Status::error("failed; see the log"));
    }
    span.end_with_timestamp(SystemTime::now());
}

/// Sends the recorded spans, and waits for at most [`EXPORT_TIME`].
pub(super) async fn flush() {
    let Some(provider) = PROVIDER.get() else { return };
    let sending = tokio::task::spawn_blocking(|| provider.force_flush());
    match tokio::time::timeout(EXPORT_TIME, sending).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(error = %error, "spans not sent"),
        Ok(Err(_)) | Err(_) => tracing::warn!("spans not sent in time"),
    }
}

/// Gives a span the ids that the invocation has already chosen.
#[derive(Debug, Default)]
struct OwnIds(RandomIdGenerator);

impl IdGenerator for OwnIds {
    fn new_trace_id(&self) -> TraceId {
        match OWN.get() {
            Some(own) => TraceId::from_bytes(own.trace_id.to_be_bytes()),
            None => self.0.new_trace_id(),
        }
    }

    fn new_span_id(&self) -> SpanId {
        match OWN.get() {
            Some(own) => SpanId::from_bytes(own.span_id.to_be_bytes()),
            None => self.0.new_span_id(),
        }
    }
}
