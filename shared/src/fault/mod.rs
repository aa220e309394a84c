//! Injected faults, so that tests can check a guarantee under failures.
//!
//! **Guarantees.** A test can make code that sends its requests through [`point`] crash, stall or lose an
//! answer at each of them. [`walk`] tries every fault at every point that a scenario passes.
//! Without the feature `failpoints`, a point only sends the request; with it, a release build
//! does not compile.
//!
//! [`write`](crate::write) and [`transaction`](crate::transaction) make each write to DynamoDB a point.
//! Such a point is inside the retry of [`conflict`](crate::conflict). Only such a point can conflict with
//! another request; a read or a call of another service cannot. No point is inside another point.
//!
//! ```
//! # #[cfg(feature = "failpoints")]
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use shared::{Result, fault};
//! use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
//!
//! fault::walk(async |run: fault::Run| {
//!     let stored = AtomicU32::new(0);
//!     let store = || async { Ok(stored.store(7, SeqCst)) };
//!     let attempt = async || -> Result<()> { fault::point("example.store", store).await };
//!
//!     run.attempt(attempt()).await; // crashes, stalls or gets no answer
//!     attempt().await.unwrap(); // the client retries
//!     assert_eq!(stored.load(SeqCst), 7);
//! })
//! .await;
//! # });
//! ```
//!
//! A deployed function reads one fault from the environment, and meets it at each passing of the point:
//! `FAULT=idempotency.complete:crash-before`.

#[cfg(feature = "failpoints")]
mod harness;

use std::future::Future;

use aws_sdk_dynamodb::error::SdkError;

#[cfg(feature = "failpoints")]
pub use harness::{Attempt, Fault, Run, walk};

/// An error type with a value for a lost answer.
pub trait Lost: Sized {
    /// The error of a caller whose request was executed, but who got no answer.
    fn lost() -> Self;
}

impl<E, R> Lost for SdkError<E, R> {
    fn lost() -> Self {
        Self::timeout_error("the answer was lost")
    }
}

impl Lost for crate::Error {
    fn lost() -> Self {
        Self::internal("the answer was lost")
    }
}

/// Sends a request at the fault point `name`, such as `queue.send`. Send a write to DynamoDB through
/// [`write`](crate::write) or [`transaction`](crate::transaction) instead; each of them has its own point.
///
/// # Errors
/// The errors of the request, or [`Lost`] when a test injects it.
pub fn point<T, E, Fut>(
    name: &'static str,
    send: impl Fn() -> Fut,
) -> impl Future<Output = Result<T, E>>
where
    E: Lost,
    Fut: Future<Output = Result<T, E>>,
{
    passed(name, None, send)
}

/// [`point`] for a write to DynamoDB: a test can make it fail with `conflict`.
pub(crate) fn write_point<T, E, Fut>(
    name: &'static str,
    conflict: fn() -> E,
    send: impl Fn() -> Fut,
) -> impl Future<Output = Result<T, E>>
where
    E: Lost,
    Fut: Future<Output = Result<T, E>>,
{
    passed(name, Some(conflict), send)
}

#[cfg(not(feature = "failpoints"))]
async fn passed<T, E: Lost, Fut>(
    _: &'static str,
    _: Option<fn() -> E>,
    send: impl Fn() -> Fut,
) -> Result<T, E>
where
    Fut: Future<Output = Result<T, E>>,
{
    send().await
}

#[cfg(feature = "failpoints")]
async fn passed<T, E: Lost, Fut>(
    name: &'static str,
    conflict: Option<fn() -> E>,
    send: impl Fn() -> Fut,
) -> Result<T, E>
where
    Fut: Future<Output = Result<T, E>>,
{
    let Some((fault, stop)) = harness::at(name, conflict.is_some()) else {
        return send().await;
    };
    match fault {
        Fault::CrashBefore | Fault::StallBefore => {
            stop.here().await;
            send().await
        }
        Fault::CrashAfter | Fault::StallAfter => {
            let answer = send().await;
            stop.here().await;
            answer
        }
        Fault::LoseAnswer => {
            // The result is lost.
            let _ = send().await;
            Err(E::lost())
        }
        Fault::Conflict | Fault::Conflicts => match conflict {
            Some(conflict) => Err(conflict()),
            None => send().await,
        },
        Fault::Repeat => {
            let _ = send().await;
            send().await
        }
    }
}
