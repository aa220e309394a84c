use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lease::AttemptId;

/// How long a delivery is kept after its last change.
pub const KEPT: Duration = Duration::from_hours(30 * 24);
/// How many digits the time has at the beginning of an id: milliseconds since 1970, up to the year 2286.
const DIGITS: usize = 13;
/// The longest id of a message, in bytes.
const MAX_MESSAGE_ID: usize = 200;

/// The id of a delivery: the time of its message and the message's own id. Compared as text, ids are in
/// the order of their messages' times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId(String);

/// Why a text is not the id of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("take the id of a delivery from the list of deliveries")]
pub struct InvalidDeliveryId;

impl DeliveryId {
    /// That of a message.
    #[must_use]
    pub fn of(created_at: Timestamp, message_id: &str) -> Self {
        Self(format!("{:0DIGITS$}-{message_id}", created_at.as_millisecond().max(0)))
    }
}

impl FromStr for DeliveryId {
    type Err = InvalidDeliveryId;

    fn from_str(text: &str) -> Result<Self, InvalidDeliveryId> {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let (time, rest) = text.split_at_checked(DIGITS).ok_or(InvalidDeliveryId)?;
        let message_id = rest.strip_prefix('-').ok_or(InvalidDeliveryId)?;
        let is_id = time.bytes().all(|b| b.is_ascii_digit())
            && (1..=MAX_MESSAGE_ID).contains(&message_id.len())
            && message_id.bytes().all(is_part);
        if is_id { Ok(Self(text.to_owned())) } else { Err(InvalidDeliveryId) }
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = InvalidDeliveryId;

    fn try_from(text: String) -> Result<Self, InvalidDeliveryId> {
        text.parse()
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> Self {
        id.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What has become of a message to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is tried again.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// It is not tried again, unless it is sent again on demand.
    GivenUp,
}

/// The last attempt, and what came of it: either a status or an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAttempt {
    /// When it began.
    pub at: Timestamp,
    /// What the receiver answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there is no answer, in a word: `timeout`, `no_connection`, `disabled`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A message to an endpoint, as it is stored: one item of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The message's id, which the receiver gets as `webhook-id`.
    pub message_id: String,
    /// The message's type, such as `order.placed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When that happened of which the message tells.
    pub created_at: Timestamp,
    /// What has become of it.
    pub outcome: Outcome,
    /// How many posts are known.
    pub attempts: u32,
    /// The last of them.
    pub last_attempt: LastAttempt,
    /// The attempt that wrote this.
    pub(super) attempt: AttemptId,
    /// How often it was sent again on demand. The job of an earlier time does nothing.
    pub(super) resends: u32,
    /// Counts the writes of the item, so that of two at once one is refused.
    pub(super) revision: u64,
    /// What a job names, so that one can be made again.
    pub(super) about: Value,
}

/// A message whose delivery is recorded.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) id: DeliveryId,
    pub(super) message_id: String,
    pub(super) kind: String,
    pub(super) created_at: Timestamp,
    pub(super) about: Value,
}

/// What is recorded of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) id: AttemptId,
    /// The revision of the item when the attempt began; 0 if there was none.
    pub(super) seen: u64,
    /// How often the message had been sent again on demand when its job was made.
    pub(super) resends: u32,
    pub(super) at: Timestamp,
    pub(super) found: Found,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The receiver answered.
    Status(u16, Outcome),
    /// The receiver did not.
    Error(&'static str, Outcome),
    /// Nothing was posted, and nothing will be.
    NotPosted(&'static str),
}

impl Found {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Status(_, outcome) | Self::Error(_, outcome) => *outcome,
            Self::NotPosted(_) => Outcome::GivenUp,
        }
    }
}

impl Delivery {
    /// Whether a job that was made when the message had been sent again `resends` times has nothing left
    /// to do: the message is delivered, or a later job is in charge. A message that is given up may be
    /// tried again: its job came back out of the dead-letter queue.
    pub(super) fn is_settled_for(&self, resends: u32) -> bool {
        resends < self.resends || (resends == self.resends && self.outcome == Outcome::Delivered)
    }

    /// The delivery after an attempt; nothing if the attempt changes nothing: it is recorded already, or
    /// the message is delivered, or a later job is in charge, or the message was given up meanwhile.
    pub(super) fn after(&self, attempt: &Attempt) -> Option<Self> {
        let is_recorded = self.attempt == attempt.id;
        let is_given_up_meanwhile = self.outcome == Outcome::GivenUp
            && self.resends == attempt.resends
            && self.revision != attempt.seen
            && attempt.found.outcome() == Outcome::Pending;
        let was_posted = !matches!(attempt.found, Found::NotPosted(_));
        // What the last post came to says more than that there is none.
        let is_given_up_anyway =
            self.outcome == Outcome::GivenUp && self.resends == attempt.resends && !was_posted;
        if is_recorded
            || self.is_settled_for(attempt.resends)
            || is_given_up_meanwhile
            || is_given_up_anyway
        {
            return None;
        }
        Some(Self {
            outcome: attempt.found.outcome(),
            attempts: self.attempts + u32::from(was_posted),
            last_attempt: attempt.last(),
            attempt: attempt.id,
            resends: attempt.resends,
            revision: self.revision + 1,
            ..self.clone()
        })
    }

    /// The delivery of which nothing is known but this attempt.
    pub(super) fn first(subject: Subject, attempt: &Attempt) -> Self {
        let Subject { id, message_id, kind, created_at, about } = subject;
        Self {
            id,
            message_id,
            kind,
            created_at,
            outcome: attempt.found.outcome(),
            attempts: u32::from(!matches!(attempt.found, Found::NotPosted(_))),
            last_attempt: attempt.last(),
            attempt: attempt.id,
            resends: attempt.resends,
            revision: attempt.seen + 1,
            about,
        }
    }

    /// The delivery when a job for another time is queued.
    pub(super) fn to_be_sent_again(&self) -> Self {
        Self {
            outcome: Outcome::Pending,
            resends: self.resends + 1,
            revision: self.revision + 1,
            ..self.clone()
        }
    }
}

impl Attempt {
    fn last(&self) -> LastAttempt {
        let (status, error) = match self.found {
            Found::Status(status, _) => (Some(status), None),
            Found::Error(error, _) | Found::NotPosted(error) => (None, Some(error.to_owned())),
        };
        LastAttempt { at: self.at, status, error }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::clock::Clock;
    use crate::id::Ids;

    fn now() -> Timestamp {
        "2026-11-30T10:00:00Z".parse().unwrap()
    }

    fn attempt(ids: &Ids, seen: u64, resends: u32, found: Found) -> Attempt {
        Attempt { id: ids.next(), seen, resends, at: now(), found }
    }

    fn pending(ids: &Ids) -> Delivery {
        let subject = Subject {
            id: DeliveryId::of(now(), "msg_1"),
            message_id: "msg_1".into(),
            kind: "order.placed".into(),
            created_at: now(),
            about: json!({"order": 1}),
        };
        Delivery::first(subject, &attempt(ids, 0, 0, Found::Status(500, Outcome::Pending)))
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = DeliveryId::of(now(), "msg_ord_01M7YRRT800000000000000002_1");
        assert_eq!(id.to_string(), "1796032800000-msg_ord_01M7YRRT800000000000000002_1");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [
            "",
            "1796032800000",
            "1796032800000-",
            "179603280000-m",
            "x796032800000-m",
            "1796032800000-m#",
            "1796032800000-m/../m",
            "1796032800000\u{e9}-m",
        ] {
            assert_eq!(text.parse::<DeliveryId>(), Err(InvalidDeliveryId), "{text}");
        }
    }

    #[test]
    fn a_failure_that_comes_late_does_not_undo_what_is_settled() {
        let ids = Ids::random(Clock::manual(now()));
        let first = pending(&ids);
        let late = attempt(&ids, first.revision, 0, Found::Error("timeout", Outcome::Pending));

        let ok = attempt(&ids, first.revision, 0, Found::Status(204, Outcome::Delivered));
        let delivered = first.after(&ok).unwrap();
        assert_eq!(delivered.after(&late), None);

        let last = attempt(&ids, first.revision, 0, Found::Status(500, Outcome::GivenUp));
        let given_up = first.after(&last).unwrap();
        assert_eq!(given_up.after(&late), None);
        // But a job that came out of the dead-letter queue goes on.
        let redriven =
            attempt(&ids, given_up.revision, 0, Found::Error("timeout", Outcome::Pending));
        assert_eq!(given_up.after(&redriven).unwrap().outcome, Outcome::Pending);

        let again = delivered.to_be_sent_again();
        assert_eq!((again.outcome, again.resends), (Outcome::Pending, 1));
        assert_eq!(again.after(&late), None, "a later job is in charge");
        assert_eq!(again.after(&ok), None);
    }

    #[test]
    fn an_attempt_is_recorded_once_and_one_without_a_post_is_not_counted() {
        let ids = Ids::random(Clock::manual(now()));
        let first = pending(&ids);
        let second = attempt(&ids, first.revision, 0, Found::Status(500, Outcome::Pending));
        let recorded = first.after(&second).unwrap();
        assert_eq!(recorded.attempts, 2);
        assert_eq!(recorded.after(&second), None);
        let disabled = attempt(&ids, recorded.revision, 0, Found::NotPosted("disabled"));
        let disabled = recorded.after(&disabled).unwrap();
        assert_eq!((disabled.outcome, disabled.attempts), (Outcome::GivenUp, 2));
    }

    proptest! {
        #[test]
        fn ids_are_in_the_order_of_time(a in 0_i64..=9_999_999_999_999, b in 0_i64..=9_999_999_999_999) {
            let id = |ms| DeliveryId::of(Timestamp::from_millisecond(ms).unwrap(), "m");
            prop_assert_eq!(a.cmp(&b), id(a).cmp(&id(b)));
        }

        #[test]
        fn any_text_is_an_id_or_an_error(text in ".*") {
            if let Ok(id) = text.parse::<DeliveryId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
