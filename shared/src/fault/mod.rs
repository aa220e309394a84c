//! Faults on purpose, so that tests can see a guarantee hold while things fail.
//!
//! **Guarantees.** Code that sends its requests through [`point`] can be made to crash, to stall or to
//! lose an answer at each of them, and a write to conflict with another's. [`walk`] tries every fault
//! at every point that a scenario passes. Without the feature `failpoints` a point is the request and nothing else; with it, a
//! release build does not compile.
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
//!     run.attempt(attempt()).await; // crashes, stalls or is told nothing
//!     attempt().await.unwrap(); // the client tries again
//!     assert_eq!(stored.load(SeqCst), 7);
//! })
//! .await;
//! # });
//! ```
//!
//! A deployed function takes one fault from the environment: `FAULT=idempotency.complete:crash-before`.

#[cfg(feature = "failpoints")]
mod harness;

use std::future::Future;

use aws_sdk_dynamodb::error::SdkError;

#[cfg(feature = "failpoints")]
pub use harness::{Attempt, Fault, Run, walk};

/// An error that can say what goes wrong on purpose.
pub trait Lost: Sized {
    /// What a caller sees whose request was carried out and whose answer never came.
    fn lost() -> Self;

    /// What a caller sees whose write conflicts with another, and is not made. None where the request
    /// meets no conflicts.
    #[must_use]
    fn conflict() -> Option<Self> {
        None
    }
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

    fn conflict() -> Option<Self> {
        Some(Self::Conflict("a conflict on purpose".into()))
    }
}

/// Sends a request, at the point that tests know by `name`: `idempotency.claim`.
///
/// # Errors
/// The request's own, or [`Lost`] when a test has it so.
#[cfg(not(feature = "failpoints"))]
pub async fn point<T, E: Lost, Fut>(_: &'static str, send: impl Fn() -> Fut) -> Result<T, E>
where
    Fut: Future<Output = Result<T, E>>,
{
    send().await
}

/// Sends a request, at the point that tests know by `name`: `idempotency.claim`.
///
/// # Errors
/// The request's own, or [`Lost`] when a test has it so.
#[cfg(feature = "failpoints")]
pub async fn point<T, E: Lost, Fut>(name: &'static str, send: impl Fn() -> Fut) -> Result<T, E>
where
    Fut: Future<Output = Result<T, E>>,
{
    let Some((fault, stop)) = harness::at(name, E::conflict().is_some()) else {
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
            // Whatever came of it, nobody hears.
            let _ = send().await;
            Err(E::lost())
        }
        Fault::Conflict | Fault::Conflicts => match E::conflict() {
            Some(conflict) => Err(conflict),
            None => send().await,
        },
        Fault::Repeat => {
            let _ = send().await;
            send().await
        }
    }
}
