//! The queue of documents to process.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::backoff::Backoff;
use shared::batch::Consumer;
use shared::id::UserId;
use shared::queue::Queue;

use crate::document::DocumentId;

/// How often a document is tried, over some ten minutes. The queue hands a job out once more than that,
/// so that the last time can be spent on saying so: its `maxReceiveCount` is this and one.
pub const MAX_ATTEMPTS: u32 = 8;

/// How long an attempt may take: fetching the file and reading it, each with a limit of its own.
const TIME_LIMIT: Duration = Duration::from_secs(40);

/// How long to wait before the next attempt: up to 10 s, 20 s, 40 s and so on.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_mins(15));

/// What hands the jobs of `queue` out, and sends to `dead_letters` what is given up.
#[must_use]
pub fn consumer(queue: Queue, dead_letters: Queue) -> Consumer {
    Consumer::new(queue).dead_letters(dead_letters).time_limit(TIME_LIMIT).backoff(BACKOFF)
}

/// A job: read this document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Job {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// Whose document it is.
        owner: UserId,
        /// The document.
        document_id: DocumentId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_says_its_version() {
        let text = r#"{"version":"1","owner":"usr_01M7YRRT800000000000000000","document_id":"doc_01M7YRRT800000000000000001"}"#;
        let job: Job = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&job).unwrap(), text);
        assert!(serde_json::from_str::<Job>(&text.replace("\"1\"", "\"2\"")).is_err());
    }
}
