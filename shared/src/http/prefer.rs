//! `Prefer: wait=<seconds>` ([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240#section-4.3)): the
//! response is sent when the work has ended, or when the time is over.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use tokio::time::Instant;

/// The maximum wait of a request; API Gateway gives up after 30 s.
pub const MAX_WAIT: Duration = Duration::from_secs(20);
/// Poll interval: first and longest.
const POLL_INTERVAL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// The wait that the request prefers, at most [`MAX_WAIT`]; `None` if it has no such preference.
#[must_use]
pub fn wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split([',', ';']));
    let seconds = preferences.find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse())
    });
    Some(Duration::from_secs(seconds?.ok()?).min(MAX_WAIT))
}

/// Adds the header `Preference-Applied: wait` to a response.
#[must_use]
pub fn applied(mut answer: Response) -> Response {
    const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
    answer.headers_mut().insert(APPLIED, HeaderValue::from_static("wait"));
    answer
}

/// The pauses between polls.
#[derive(Debug)]
pub struct Pauses {
    until: Instant,
    next: Duration,
}

impl Pauses {
    /// Pauses that end within `wait` from now.
    #[must_use]
    pub fn within(wait: Duration) -> Self {
        Self { until: Instant::now() + wait, next: POLL_INTERVAL.0 }
    }

    /// Waits until the next poll and gives true. Gives false at once if the time is over before that.
    pub async fn pause(&mut self) -> bool {
        if Instant::now() + self.next > self.until {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 3 / 2).min(POLL_INTERVAL.1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_parsed_as_in_rfc_7240() {
        for (header, seconds) in [
            ("wait=5", Some(5)),
            ("respond-async, wait=10", Some(10)),
            ("respond-async; wait = \"7\"", Some(7)),
            ("Wait=3600", Some(20)),
            ("wait=0", Some(0)),
            ("wait", None),
            ("wait=-1", None),
            ("wait=soon", None),
            ("return=minimal", None),
        ] {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("prefer"),
                HeaderValue::from_static(header),
            )]);
            assert_eq!(wait(&headers), seconds.map(Duration::from_secs), "{header}");
        }
    }
}
