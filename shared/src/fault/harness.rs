use std::future::{Future, pending};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use tokio::sync::Notify;

tokio::task_local! {
    static RUN: Run;
}

/// A fault at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process ends before the request is sent.
    CrashBefore,
    /// The process ends after the request is executed.
    CrashAfter,
    /// The process stalls before the request is sent, and continues much later.
    StallBefore,
    /// The process stalls after the request is executed, and continues much later.
    StallAfter,
    /// The request is executed; its sender sees a time-out.
    LoseAnswer,
    /// The request is executed, its answer is lost, and the SDK sends it again.
    Repeat,
    /// The write conflicts with another write, and is not made. A retry succeeds. Only for writes to
    /// DynamoDB.
    Conflict,
    /// The write conflicts in every retry. Only for writes to DynamoDB.
    Conflicts,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 8] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::StallBefore,
        Self::StallAfter,
        Self::LoseAnswer,
        Self::Repeat,
        Self::Conflict,
        Self::Conflicts,
    ];

    /// Whether the fault is possible at a point: only a write to DynamoDB can conflict.
    fn is_met_by(self, is_write: bool) -> bool {
        is_write || !matches!(self, Self::Conflict | Self::Conflicts)
    }

    fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "crash-before" => Self::CrashBefore,
            "crash-after" => Self::CrashAfter,
            "stall-before" => Self::StallBefore,
            "stall-after" => Self::StallAfter,
            "lose-answer" => Self::LoseAnswer,
            "repeat" => Self::Repeat,
            "conflict" => Self::Conflict,
            "conflicts" => Self::Conflicts,
            _ => return Err(format!("{text:?} is not a fault")),
        })
    }
}

/// One run of a scenario, with at most one planned fault.
#[derive(Clone, Debug, Default)]
pub struct Run(Arc<State>);

#[derive(Debug, Default)]
struct State {
    planned: Option<Planned>,
    passed: Mutex<Vec<Passed>>,
    struck: OnceLock<()>,
    stopped: Notify,
    resumed: Notify,
}

/// A point that was passed.
#[derive(Clone, Copy, Debug)]
struct Passed {
    point: &'static str,
    /// Whether it is a write to DynamoDB.
    is_write: bool,
}

/// A fault, its point, and the number of the passing of that point, from 1.
#[derive(Clone, Copy, Debug)]
struct Planned {
    point: &'static str,
    passing: usize,
    fault: Fault,
}

/// The outcome of an attempt that may have met a fault.
pub struct Attempt<'a, T> {
    state: Outcome<'a, T>,
    run: Run,
}

enum Outcome<'a, T> {
    Done(T),
    Crashed,
    Stalled(Pin<Box<dyn Future<Output = T> + 'a>>),
}

impl Run {
    /// A run with `fault` at the first passing of `point`.
    #[must_use]
    pub fn with(point: &'static str, fault: Fault) -> Self {
        Self::with_nth(point, 1, fault)
    }

    /// A run with `fault` at passing number `passing` of `point`, counted from 1.
    #[must_use]
    pub fn with_nth(point: &'static str, passing: usize, fault: Fault) -> Self {
        Self::planned(Planned { point, passing, fault })
    }

    fn planned(planned: Planned) -> Self {
        Self(Arc::new(State { planned: Some(planned), ..State::default() }))
    }

    /// Runs an attempt until it ends or the fault stops it.
    pub async fn attempt<'a, T>(&self, attempt: impl Future<Output = T> + 'a) -> Attempt<'a, T> {
        let mut attempt: Pin<Box<dyn Future<Output = T> + 'a>> =
            Box::pin(RUN.scope(self.clone(), attempt));
        let state = tokio::select! {
            done = &mut attempt => Outcome::Done(done),
            () = self.0.stopped.notified() => match self.0.planned {
                Some(planned) if planned.fault.is_crash() => Outcome::Crashed,
                _ => Outcome::Stalled(attempt),
            },
        };
        Attempt { state, run: self.clone() }
    }

    /// The planned fault, if there is one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.0.planned.map(|planned| planned.fault)
    }

    /// Whether this HTTP status is a valid response of an attempt that meets the planned fault. With no
    /// fault or a single conflict, it must be a success. With a persistent conflict, it must be 503; at
    /// the points in `optional`, whose writes the route does not need, it must be a success. With any
    /// other fault, it must be a success or 500.
    #[must_use]
    pub fn allows(&self, status: u16, optional: &[&str]) -> bool {
        let is_success = (200..300).contains(&status);
        match self.0.planned {
            Some(Planned { fault: Fault::Conflicts, point, .. }) if !optional.contains(&point) => {
                status == 503
            }
            None | Some(Planned { fault: Fault::Conflict | Fault::Conflicts, .. }) => is_success,
            Some(_) => is_success || status == 500,
        }
    }

    fn pass(&self, point: &'static str, is_write: bool) -> Option<Fault> {
        let mut passed = self.0.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.push(Passed { point, is_write });
        let planned = self.0.planned.filter(|planned| planned.point == point)?;
        if !planned.fault.is_met_by(is_write) {
            return None;
        }
        let passing = passed.iter().filter(|passed| passed.point == point).count();
        let strikes = if planned.fault == Fault::Conflicts {
            // It strikes at this passing and at each later one.
            passing >= planned.passing
        } else {
            passing == planned.passing && self.0.struck.get().is_none()
        };
        strikes.then(|| {
            let _ = self.0.struck.set(());
            planned.fault
        })
    }
}

impl<T> Attempt<'_, T> {
    /// Lets a stalled attempt continue to its end. Gives its result, or `None` if it crashed.
    pub async fn resume(self) -> Option<T> {
        match self.state {
            Outcome::Done(done) => Some(done),
            Outcome::Crashed => None,
            Outcome::Stalled(attempt) => {
                self.run.0.resumed.notify_one();
                Some(attempt.await)
            }
        }
    }

    /// Whether the attempt ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, Outcome::Done(_))
    }
}

/// Stops an attempt, or the process.
pub(super) enum Stop {
    Attempt(Run),
    Process(Fault),
}

impl Stop {
    /// Never returns after a crash. Returns after a stall, when the test resumes the attempt.
    pub(super) async fn here(&self) {
        match self {
            Self::Attempt(run) => {
                run.0.stopped.notify_one();
                match run.fault() {
                    Some(fault) if fault.is_crash() => pending().await,
                    _ => run.0.resumed.notified().await,
                }
            }
            Self::Process(fault) if fault.is_crash() => std::process::abort(),
            // Lambda ends the process at the time-out of the function.
            Self::Process(_) => pending().await,
        }
    }
}

/// The fault at the point `name`, if there is one. `is_write`: whether it is a write to DynamoDB.
pub(super) fn at(name: &'static str, is_write: bool) -> Option<(Fault, Stop)> {
    static FAULT: LazyLock<Option<(String, Fault)>> = LazyLock::new(|| {
        let text = std::env::var("FAULT").ok()?;
        let (point, fault) = text.split_once(':')?;
        Some((point.to_owned(), fault.parse().ok()?))
    });
    if let Ok(run) = RUN.try_with(Clone::clone) {
        return run.pass(name, is_write).map(|fault| (fault, Stop::Attempt(run)));
    }
    let (point, fault) = FAULT.as_ref()?;
    (point == name && fault.is_met_by(is_write)).then_some((*fault, Stop::Process(*fault)))
}

/// A sample has every third fault at each passing.
const SAMPLE: usize = 3;

/// Runs `scenario` once without a fault, to record the points that its attempts pass; then once for
/// each fault at each passing of a point. [`Fault::Conflict`] and [`Fault::Conflicts`] are tried at
/// every write to DynamoDB and at no other point. Gives the points in the order of their passings.
///
/// With the environment variable `SOAK`, every fault is tried at every passing. Without it, every third
/// fault is tried, starting with another fault at each passing, so that three successive passings have
/// all faults.
///
/// # Panics
/// When the scenario passes no point, or does not meet a planned fault: it must pass the same points in
/// every run.
pub async fn walk<F, Fut>(scenario: F) -> Vec<&'static str>
where
    F: Fn(Run) -> Fut,
    Fut: Future<Output = ()>,
{
    let is_whole = std::env::var_os("SOAK").is_some();
    let faultless = Run::default();
    scenario(faultless.clone()).await;
    let passed = faultless.0.passed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(!passed.is_empty(), "the scenario passes no point");
    for (index, Passed { point, is_write }) in passed.iter().copied().enumerate() {
        let passing = passed[..=index].iter().filter(|passed| passed.point == point).count();
        for (number, fault) in Fault::ALL.into_iter().enumerate() {
            let is_tried = is_whole || (index + number).is_multiple_of(SAMPLE);
            if !is_tried || !fault.is_met_by(is_write) {
                continue;
            }
            let run = Run::planned(Planned { point, passing, fault });
            // The output is visible when the test fails.
            eprintln!("{fault:?} at {point}, passing {passing}");
            scenario(run.clone()).await;
            assert!(run.0.struck.get().is_some(), "{fault:?} at {point} did not occur");
        }
    }
    passed.into_iter().map(|passed| passed.point).collect()
}
