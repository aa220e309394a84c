use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::lease::AttemptId;

/// How long a delivery is kept after its last change.
pub const KEPT: Duration = Duration::from_hours(30 * 24);
/// Number of digits of the time at the start of an id: milliseconds since 1970, up to the year 2286.
const DIGITS: usize = 13;
/// Maximum length of a message's id, in bytes.
const MAX_MESSAGE_ID: usize = 200;

/// The id of a delivery: the time and the id of its message. The text order of ids is the order of the
/// messages' times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    pattern = "^[0-9]{13}-[A-Za-z0-9._-]{1,200}$",
    example = "1796032800000-msg_ord_01M7YRRT800000000000000002_1"
)]
pub struct DeliveryId(String);

/// The error for an invalid [`DeliveryId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("take the id of a delivery from the list of deliveries")]
pub struct InvalidDeliveryId;

impl DeliveryId {
    /// The id of a message's delivery.
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

/// The outcome of a message to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryOutcome)]
pub enum Outcome {
    /// The message is tried again.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// The message is not tried again, unless it is sent again on demand.
    GivenUp,
}

/// The last attempt and its result: either a status or an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastAttempt {
    /// The start of the attempt.
    pub at: Timestamp,
    /// The status of the receiver's response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there is no response, in one word: `timeout`, `no_connection`, `disabled`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A message to an endpoint, as stored: one item of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The delivery's id.
    pub id: DeliveryId,
    /// The message's id, which the receiver gets as `webhook-id`.
    pub message_id: String,
    /// The message's type, such as `order.placed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The time of the message's event.
    pub created_at: Timestamp,
    /// The outcome so far.
    pub outcome: Outcome,
    /// The number of recorded requests.
    pub attempts: u32,
    /// The last attempt.
    pub last_attempt: LastAttempt,
    /// The id of the attempt that wrote this item.
    pub(super) attempt: AttemptId,
    /// The number of resends on demand. A job with a lower number does nothing.
    pub(super) resends: u32,
    /// The number of writes of the item. Of two concurrent writes, one fails.
    pub(super) revision: u64,
    /// The job's reference to the message, to create another job.
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

/// The record of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) id: AttemptId,
    /// The revision of the item at the start of the attempt; 0 if there was no item.
    pub(super) seen: u64,
    /// The number of resends when the job was created.
    pub(super) resends: u32,
    pub(super) at: Timestamp,
    pub(super) found: Found,
}

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The receiver responded.
    Status(u16, Outcome),
    /// There was no response.
    Error(&'static str, Outcome),
    /// Nothing was posted, and the message is given up.
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
    /// Whether the job of resend `resends` has nothing left to do: the message is delivered, or there is a
    /// later job. A message that is given up may be tried again, when its job returns from the
    /// dead-letter queue.
    pub(super) fn is_settled_for(&self, resends: u32) -> bool {
        resends < self.resends || (resends == self.resends && self.outcome == Outcome::Delivered)
    }

    /// The delivery after an attempt. `None` if the attempt changes nothing: the attempt is already
    /// recorded, the message is delivered, there is a later job, or the message was given up in the
    /// meantime.
    pub(super) fn after(&self, attempt: &Attempt) -> Option<Self> {
        let is_recorded = self.attempt == attempt.id;
        let is_given_up_meanwhile = self.outcome == Outcome::GivenUp
            && self.resends == attempt.resends
            && self.revision != attempt.seen
            && attempt.found.outcome() == Outcome::Pending;
        let was_posted = !matches!(attempt.found, Found::NotPosted(_));
        // The result of the last request says more than that nothing was posted.
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

    /// A new delivery whose only attempt is this one.
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

    /// The delivery after a job for a resend is queued.
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
    fn a_delivery_id_round_trips() {
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
    fn a_late_failure_does_not_change_a_final_outcome() {
        let ids = Ids::random(Clock::manual(now()));
        let first = pending(&ids);
        let late = attempt(&ids, first.revision, 0, Found::Error("timeout", Outcome::Pending));

        let ok = attempt(&ids, first.revision, 0, Found::Status(204, Outcome::Delivered));
        let delivered = first.after(&ok).unwrap();
        assert_eq!(delivered.after(&late), None);

        let last = attempt(&ids, first.revision, 0, Found::Status(500, Outcome::GivenUp));
        let given_up = first.after(&last).unwrap();
        assert_eq!(given_up.after(&late), None);
        // But a job that returns from the dead-letter queue continues.
        let redriven =
            attempt(&ids, given_up.revision, 0, Found::Error("timeout", Outcome::Pending));
        assert_eq!(given_up.after(&redriven).unwrap().outcome, Outcome::Pending);

        let again = delivered.to_be_sent_again();
        assert_eq!((again.outcome, again.resends), (Outcome::Pending, 1));
        assert_eq!(again.after(&late), None, "there is a later job");
        assert_eq!(again.after(&ok), None);
    }

    #[test]
    fn an_attempt_is_recorded_once_and_counted_only_if_it_posted() {
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
