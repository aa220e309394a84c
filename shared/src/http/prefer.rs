//! `Prefer: wait=<seconds>` ([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240#section-4.3)): the
//! answer waits until what it is about has come to its end, or until the time is over.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use tokio::time::Instant;

/// The longest that a request waits; API Gateway gives up after 30 s.
pub const MAX_WAIT: Duration = Duration::from_secs(20);
/// How often is looked meanwhile, at first and at last.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// How long the caller would wait, if it says so.
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

/// The answer, which says that the wish was granted.
#[must_use]
pub fn applied(mut answer: Response) -> Response {
    const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
    answer.headers_mut().insert(APPLIED, HeaderValue::from_static("wait"));
    answer
}

/// The pauses between looks.
#[derive(Debug)]
pub struct Pauses {
    until: Instant,
    next: Duration,
}

impl Pauses {
    /// Those of a request that waits for so long.
    #[must_use]
    pub fn within(wait: Duration) -> Self {
        Self { until: Instant::now() + wait, next: LOOK_EVERY.0 }
    }

    /// Waits until the next look; says at once if there is no time for one.
    pub async fn pause(&mut self) -> bool {
        if Instant::now() + self.next > self.until {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 3 / 2).min(LOOK_EVERY.1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_asked_for_as_rfc_7240_has_it() {
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
