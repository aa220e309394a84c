//! Running a function, and what is known of the invocation under way.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

tokio::task_local! {
    static CURRENT: Invocation;
}

/// One invocation of a function, in Powertools' words.
#[derive(Clone, Debug, Serialize)]
pub struct Invocation {
    /// The function's name.
    pub function_name: String,
    /// The function's memory in MB.
    pub function_memory_size: i32,
    /// The function's ARN.
    pub function_arn: String,
    /// Lambda's id of the invocation.
    pub function_request_id: String,
    /// Whether this is the first invocation of its environment.
    pub cold_start: bool,
    /// The X-Ray trace that the invocation belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xray_trace_id: Option<String>,
    /// What ties the log lines of one piece of work together: API Gateway's request id for a
    /// request, which the caller sees too; Lambda's request id where nothing else is known.
    pub correlation_id: String,
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
            deadline: Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX),
        }
    }

    /// The time left before Lambda ends the invocation.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        SystemTime::from(self.deadline).duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// Runs `work` as this invocation: what it logs carries the invocation's fields.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }
}

/// The invocation under way, if there is one on this task.
#[must_use]
pub fn current() -> Option<Invocation> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs a function that is no HTTP endpoint until Lambda ends it.
///
/// An error is logged with its causes; Lambda is told only that there was one, and retries as the
/// event's source has it.
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
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        let invocation = Invocation::of(&event.context, None);
        // Boxed, for the type of the whole would be too deep for the compiler.
        let work = Box::pin(async {
            let result = handler(event.payload, invocation.clone()).await;
            result.map_err(|error| {
                tracing::error!(error = error.trail(), "invocation failed");
                Diagnostic {
                    error_type: "Failed".into(),
                    error_message: "the invocation failed; its log says why".into(),
                }
            })
        });
        invocation.clone().scope(work).await
    }))
    .await
    .map_err(Error::Internal)
}
