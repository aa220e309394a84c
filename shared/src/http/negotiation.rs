//! Preferences of a request: `Accept` and `Accept-Encoding`
//! ([RFC 9110, 12.5](https://www.rfc-editor.org/rfc/rfc9110#section-12.5)).

use lambda_http::http::{HeaderMap, HeaderName, header};

/// Whether the request accepts JSON or a problem document. A request without a valid `Accept` accepts
/// everything.
pub(super) fn accepts_json(headers: &HeaderMap) -> bool {
    let ranges = preferences(headers, &header::ACCEPT);
    let ranges: Vec<_> = ranges.filter(|(range, _)| range.contains('/')).collect();
    let quality = |kind: &str| {
        // The most specific range decides.
        [kind, "application/*", "*/*"].into_iter().find_map(|wanted| {
            let named = ranges.iter().find(|(range, _)| range.eq_ignore_ascii_case(wanted));
            named.map(|(_, quality)| *quality)
        })
    };
    let is_wanted = |kind| quality(kind).is_some_and(|quality| quality > 0.0);
    ranges.is_empty() || is_wanted("application/json") || is_wanted("application/problem+json")
}

/// Whether the request accepts a body that is compressed with gzip. One without `Accept-Encoding` does
/// not: such a client may be unable to inflate it.
#[must_use]
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings: Vec<_> = preferences(headers, &header::ACCEPT_ENCODING).collect();
    let quality = ["gzip", "x-gzip", "*"].into_iter().find_map(|wanted| {
        let named = codings.iter().find(|(coding, _)| coding.eq_ignore_ascii_case(wanted));
        named.map(|(_, quality)| *quality)
    });
    quality.is_some_and(|quality| quality > 0.0)
}

/// The elements of a list with their quality. One with an invalid quality is left out.
fn preferences<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = (&'a str, f32)> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let what = parts.next().filter(|what| !what.is_empty())?;
        let mut parameters = parts.filter_map(|part| part.split_once('='));
        let quality = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let quality = match quality {
            Some((_, value)) => value.trim().parse().ok()?,
            None => 1.0,
        };
        (0.0..=1.0).contains(&quality).then_some((what, quality))
    })
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    fn asks(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_most_specific_range_decides_whether_json_is_accepted() {
        for (accept, is_accepted) in [
            ("*/*", true),
            ("application/*", true),
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/problem+json", true),
            ("text/html, */*;q=0.1", true),
            ("*/*; q=0.5, application/xml", true),
            ("", true),
            ("json", true),
            ("application/json;q=2", true),
            ("text/html", false),
            ("text/*", false),
            ("application/json;q=0", false),
            ("application/json; Q=0.000, application/problem+json;q=0, */*", false),
            ("*/*;q=0", false),
        ] {
            assert_eq!(accepts_json(&asks(header::ACCEPT, accept)), is_accepted, "{accept}");
        }
        assert!(accepts_json(&HeaderMap::new()));
    }

    #[test]
    fn gzip_is_sent_only_to_those_who_ask_for_it() {
        for (accept, is_accepted) in [
            ("gzip", true),
            ("br, GZIP;q=0.2", true),
            ("x-gzip", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("identity", false),
            ("br", false),
            ("gzip;q=nan", false),
            ("", false),
        ] {
            let headers = asks(header::ACCEPT_ENCODING, accept);
            assert_eq!(accepts_gzip(&headers), is_accepted, "{accept}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
