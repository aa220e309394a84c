use std::future::{Future, pending};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use tokio::sync::Notify;

tokio::task_local! {
    static RUN: Run;
}

/// What goes wrong at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process ends before the request is sent.
    CrashBefore,
    /// The process ends when the request has been carried out.
    CrashAfter,
    /// The process stands still before the request is sent, and goes on much later.
    StallBefore,
    /// The process stands still when the request has been carried out, and goes on much later.
    StallAfter,
    /// The request is carried out; its sender sees a time-out.
    LoseAnswer,
    /// The request is carried out, its answer is lost, and the SDK sends it again.
    Repeat,
    /// The write conflicts with another's, and is not made. Sent again, it is. Only a write to
    /// DynamoDB meets this.
    Conflict,
    /// The same, however often the attempt sends it again.
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

    /// Whether a point can meet it: only a write to DynamoDB conflicts.
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
            _ => return Err(format!("{text:?} is no fault")),
        })
    }
}

/// One run of a scenario, with at most one fault in it.
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

/// A fault, the point where it strikes, and the how-manieth passing of it.
#[derive(Clone, Copy, Debug)]
struct Planned {
    point: &'static str,
    passing: usize,
    fault: Fault,
}

/// What came of an attempt that may have met a fault.
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

    /// A run with `fault` at the how-manieth passing of `point`, from 1.
    #[must_use]
    pub fn with_nth(point: &'static str, passing: usize, fault: Fault) -> Self {
        Self::planned(Planned { point, passing, fault })
    }

    fn planned(planned: Planned) -> Self {
        Self(Arc::new(State { planned: Some(planned), ..State::default() }))
    }

    /// Makes an attempt, up to its end or to where the fault stops it.
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

    /// Whether an attempt that meets the planned fault may be answered with this HTTP status. Nobody
    /// sees a single conflict: the answer is a success. A conflict that lasts is 503, and never 500; it
    /// is a success at the points in `optional`, because the route does not need their writes. Any
    /// other fault is a success or 500, and never 503.
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
            // Again at each passing from there on.
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
    /// Lets a stalled attempt go on to its end. What came of it; nothing of a crashed one.
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

    /// Whether the attempt came to its end.
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
    /// Stands still: for good after a crash, until the test lets it go on after a stall.
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
            // Until Lambda ends it.
            Self::Process(_) => pending().await,
        }
    }
}

/// The fault to have at the point `name`, if any. `is_write` says whether it is a write to DynamoDB.
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

/// A sample has one of so many faults at each passing.
const SAMPLE: usize = 3;

/// Runs `scenario` once without a fault, to learn which points its attempt passes; then once for
/// each fault at each passing of a point. [`Fault::Conflict`] and [`Fault::Conflicts`] are tried at
/// every write to DynamoDB and at no other point. Gives the points.
///
/// With the environment variable `SOAK`, a walk is whole. Without it, a walk is a sample: each passing gets
/// every third fault, the next passing the faults after those, so that three passings in a row get all.
///
/// # Panics
/// When the scenario passes no point, or does not meet a planned fault: it must do the same each time.
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
            // Shown by a test that fails.
            eprintln!("{fault:?} at {point}, passing {passing}");
            scenario(run.clone()).await;
            assert!(run.0.struck.get().is_some(), "{fault:?} at {point} was never met");
        }
    }
    passed.into_iter().map(|passed| passed.point).collect()
}
