//! Runs a function, and provides the current invocation.
//!
//! **Guarantees.** An error is logged with all its causes; Lambda gets an error without details. Every
//! log line of an invocation has its ids. Metrics and traces are sent after Lambda has the answer.
//!
//! ```no_run
//! # #[tokio::main]
//! # async fn main() -> shared::Result<()> {
//! use serde_json::Value;
//!
//! shared::telemetry::init("documents");
//! shared::invocation::run(async |event: Value, invocation| {
//!     tracing::info!(left = ?invocation.remaining(), "received {event}");
//!     Ok(())
//! })
//! .await
//! # }
//! ```
//!
//! There is no shutdown: Lambda may end an environment between any two invocations, and no data is
//! unsent then.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task;
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use futures::future::Then;
use jiff::Timestamp;
use lambda_runtime::{
    Context, Diagnostic, LambdaEvent, LambdaInvocation, Runtime, Service, service_fn,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::layer::layer_fn;

use crate::error::Error;
use crate::telemetry::{self, Kind, Watch};
use crate::trace::TraceContext;

tokio::task_local! {
    static CURRENT: Invocation;
}

/// One invocation of a function. Its fields in logs have the names that Powertools uses.
#[derive(Clone, Debug, Serialize)]
pub struct Invocation {
    /// The function's name.
    pub function_name: String,
    /// The function's memory in MB.
    pub function_memory_size: i32,
    /// The function's ARN.
    pub function_arn: String,
    /// The id that Lambda gave the invocation.
    pub function_request_id: String,
    /// Whether this is the first invocation of its environment.
    pub cold_start: bool,
    /// The X-Ray trace that the invocation belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xray_trace_id: Option<String>,
    /// The id that all log lines of one piece of work share: API Gateway's request id for a request,
    /// which the caller also gets; Lambda's request id if there is no other.
    pub correlation_id: String,
    /// The span of this invocation.
    #[serde(rename = "trace_id")]
    pub trace: TraceContext,
    /// The span that caused this invocation.
    #[serde(skip)]
    pub parent: Option<TraceContext>,
    /// Whether this workspace's own lines are logged down to `debug`, at any log level.
    #[serde(skip)]
    pub is_log_sampled: bool,
    /// When Lambda will end the invocation.
    #[serde(skip)]
    pub deadline: Timestamp,
}

impl Invocation {
    /// Describes the invocation of `context`.
    #[must_use]
    pub fn of(context: &Context, correlation_id: Option<String>) -> Self {
        static WARM: AtomicBool = AtomicBool::new(false);
        let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        let parent = context.xray_trace_id.as_deref().and_then(TraceContext::from_xray);
        Self {
            function_name: context.env_config.function_name.clone(),
            function_memory_size: context.env_config.memory,
            function_arn: context.invoked_function_arn.clone(),
            function_request_id: context.request_id.clone(),
            cold_start: !WARM.swap(true, Ordering::Relaxed),
            // "Root=1-63441c4a-abcdef012345678912345678;Parent=…;Sampled=1"
            xray_trace_id: context.xray_trace_id.as_deref().and_then(|header| {
                let root = header.split(';').find_map(|part| part.strip_prefix("Root="));
                root.map(str::to_owned)
            }),
            correlation_id: correlation_id.unwrap_or_else(|| context.request_id.clone()),
            trace: parent.map_or_else(TraceContext::root, TraceContext::child),
            parent,
            is_log_sampled: fastrand::f64() < log_sample_rate(),
            deadline: Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX),
        }
    }

    /// The same invocation for one cause: a message, a request, a record of a stream. It has the cause's
    /// correlation id, and a new span below the cause's span.
    #[must_use]
    pub fn caused_by(&self, correlation_id: Option<String>, parent: Option<TraceContext>) -> Self {
        let parent = parent.unwrap_or(self.trace);
        Self {
            correlation_id: correlation_id.unwrap_or_else(|| self.correlation_id.clone()),
            trace: parent.child(),
            parent: Some(parent),
            ..self.clone()
        }
    }

    /// The time left before Lambda ends the invocation.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        SystemTime::from(self.deadline).duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// Runs `work` as this invocation: its log lines have the invocation's fields.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }
}

/// The current invocation of this task, if there is one.
#[must_use]
pub fn current() -> Option<Invocation> {
    CURRENT.try_with(Clone::clone).ok()
}

/// The correlation id of the current invocation, if there is one.
#[must_use]
pub fn correlation_id() -> Option<String> {
    CURRENT.try_with(|current| current.correlation_id.clone()).ok()
}

/// The share of invocations that log more, from the variable `LOG_SAMPLE_RATE`. NaN if it is invalid.
pub(crate) fn log_sample_rate() -> f64 {
    static RATE: LazyLock<f64> = LazyLock::new(|| match std::env::var("LOG_SAMPLE_RATE") {
        Err(_) => 0.0,
        Ok(rate) => rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate)).unwrap_or(f64::NAN),
    });
    *RATE
}

/// Runs a function that is not an HTTP endpoint, until Lambda ends it.
///
/// An error is logged with its causes. Lambda gets an error without details, and retries by the rules of
/// the event's source.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn run<E, R, F, Fut>(handler: F) -> crate::Result<()>
where
    E: DeserializeOwned,
    R: Serialize,
    F: Fn(E, Invocation) -> Fut,
    Fut: Future<Output = Result<R, Error>>,
{
    let handler = &handler;
    let runtime = Runtime::new(service_fn(move |event: LambdaEvent<E>| async move {
        let invocation = Invocation::of(&event.context, None);
        // Boxed: without it, the type is too deep for the compiler.
        let work = Box::pin(async {
            let watch = Watch::start(Kind::Task);
            let result = handler(event.payload, invocation.clone()).await;
            let outcome = if result.is_ok() { "Success" } else { "Failure" };
            watch.invocation_ended(&invocation, outcome);
            result.map_err(|error| {
                tracing::error!(error = error.trail(), "invocation failed");
                Diagnostic {
                    error_type: "Failed".into(),
                    error_message: "the invocation failed; see its log".into(),
                }
            })
        });
        invocation.clone().scope(work).await
    }));
    runtime.layer(layer_fn(AfterAnswer)).run().await.map_err(Error::Internal)
}

type Answered = Result<(), lambda_runtime::Error>;
type Flushing = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// Sends metrics and traces after Lambda has the answer, and before the next event is fetched.
pub(crate) struct AfterAnswer<S>(pub(crate) S);

impl<S> Service<LambdaInvocation> for AfterAnswer<S>
where
    S: Service<LambdaInvocation, Response = (), Error = lambda_runtime::Error>,
{
    type Response = ();
    type Error = lambda_runtime::Error;
    type Future = Then<S::Future, Flushing, fn(Answered) -> Flushing>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> task::Poll<Answered> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        self.0.call(invocation).then(|answered| {
            Box::pin(async {
                telemetry::flush().await;
                answered
            })
        })
    }
}
