use serde::Serialize;
use serde::de::DeserializeOwned;

use super::records::{Claimed, Keep};
use super::{IdempotencyError, Outcome, Records, Request};
use crate::Error;

/// For work that may safely run again.
///
/// If a run dies or cannot save its answer, the next caller runs the work again after the claim expires,
/// shortly after the latest end of the invocation. If the work fails, the claim is released at once.
#[derive(Clone, Debug)]
pub struct Wrapped {
    records: Records,
}

impl Wrapped {
    /// Work whose records are in `records`.
    #[must_use]
    pub fn new(records: Records) -> Self {
        Self { records }
    }

    /// Runs `work`, if the request is neither done nor in progress.
    ///
    /// # Errors
    /// [`IdempotencyError`]; an error of `work` as `Failed`.
    pub async fn run<T: Serialize + DeserializeOwned>(
        &self,
        request: &Request,
        work: impl AsyncFnOnce() -> Result<T, Error>,
    ) -> Result<Outcome<T>, IdempotencyError> {
        let claim = match self.records.claim(request, Keep::AsAnswer).await? {
            Claimed::Completed(answer) => {
                return Ok(Outcome::Replayed(serde_json::from_str(&answer)?));
            }
            Claimed::First(claim) | Claimed::After(claim) => claim,
        };
        self.records.check(&claim)?;
        match work().await {
            Ok(answer) => {
                let data = serde_json::to_string(&answer)?;
                match self.records.complete(&claim, &data).await? {
                    None => Ok(Outcome::New(answer)),
                    // This run stalled and another was first. All callers get the same answer.
                    Some(others) => Ok(Outcome::Replayed(serde_json::from_str(&others)?)),
                }
            }
            Err(error) => {
                self.records.release(&claim).await;
                Err(IdempotencyError::Failed(error))
            }
        }
    }
}
