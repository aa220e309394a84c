//! Dates in XMP (ISO 8601) and in PDF (PDF Reference 1.4, 3.8.2).

/// A moment, or a local time without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Nanoseconds since 1970-01-01T00:00 in local time.
    local: i128,
    /// Offset of the local time from UTC, in minutes.
    offset: Option<i64>,
}

impl Moment {
    /// Whether this PDF date and the XMP date are the same moment. A PDF date without a zone is in
    /// UTC. An XMP date without a zone is in UTC or in the local time of the PDF date.
    pub(super) fn is_same_as_xmp(self, xmp: Self) -> bool {
        let utc =
            |moment: Self| moment.local - i128::from(moment.offset.unwrap_or(0)) * 60_000_000_000;
        utc(self) == utc(xmp) || (xmp.offset.is_none() && self.local == xmp.local)
    }
}

/// Parses an XMP date: year, month, day, and a time with or without a zone. It may end after any
/// field. Values out of range are accepted, as in XMP toolkits.
pub(super) fn xmp(text: &str) -> Option<Moment> {
    let mut cursor = Cursor { rest: text.strip_prefix('-').unwrap_or(text) };
    let mut fields = Fields {
        year: cursor.number()?.min(9999),
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
    };
    if text.starts_with('-') {
        fields.year = -fields.year;
    }
    let mut nanoseconds = 0;
    'date: {
        if !cursor.separator('-')? {
            break 'date;
        }
        fields.month = cursor.number()?.min(12);
        if !cursor.separator('-')? {
            break 'date;
        }
        fields.day = cursor.number()?.min(31);
        if !cursor.separator('T')? {
            break 'date;
        }
        fields.hour = cursor.number()?.min(23);
        if cursor.skip(':') {
            fields.minute = cursor.number()?.min(59);
            if cursor.skip(':') {
                fields.second = cursor.number()?.min(59);
                if cursor.skip('.') {
                    nanoseconds = cursor.fraction()?;
                }
            }
        }
    }
    let offset = match cursor.next() {
        None => None,
        Some('Z') => Some(0),
        Some(sign @ ('+' | '-')) => {
            let mut minutes = cursor.number()?.min(23) * 60;
            if cursor.separator(':')? {
                minutes += cursor.number()?.min(59);
            }
            Some(if sign == '-' { -minutes } else { minutes })
        }
        Some(_) => return None,
    };
    cursor
        .rest
        .is_empty()
        .then(|| Moment { local: fields.nanoseconds() + i128::from(nanoseconds), offset })
}

/// Parses a PDF date, `D:YYYYMMDDHHmmSSOHH'mm'`. It may end after any field. The last apostrophe is
/// optional.
pub(super) fn pdf(text: &str) -> Option<Moment> {
    let text = text.strip_prefix("D:")?;
    let text = text.strip_suffix('\'').unwrap_or(text);
    let mut cursor = Cursor { rest: text };
    let mut fields =
        Fields { year: cursor.digits(4)?, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    let Fields { month, day, hour, minute, second, .. } = &mut fields;
    for field in [month, day, hour, minute, second] {
        if cursor.rest.is_empty() || cursor.rest.starts_with(['Z', '+', '-']) {
            break;
        }
        *field = cursor.digits(2)?;
    }
    let offset = match cursor.next() {
        None => None,
        Some(sign @ ('Z' | '+' | '-')) => {
            let mut minutes = 0;
            if !cursor.rest.is_empty() {
                minutes = cursor.digits(2)? * 60;
                if cursor.separator('\'')? && !cursor.rest.is_empty() {
                    minutes += cursor.digits(2)?;
                }
            }
            match sign {
                'Z' if minutes != 0 => return None,
                '-' => Some(-minutes),
                _ => Some(minutes),
            }
        }
        Some(_) => return None,
    };
    cursor.rest.is_empty().then(|| Moment { local: fields.nanoseconds(), offset })
}

struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Fields {
    /// Nanoseconds since 1970 in the proleptic Gregorian calendar. Values out of range carry over.
    fn nanoseconds(&self) -> i128 {
        let months = self.year * 12 + self.month - 1;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
        // If years begin in March, the leap day is the last day of the year.
        let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days = year * 365 + leap_days + (153 * month + 2) / 5 + self.day - 1 - 719_468;
        i128::from(((days * 24 + self.hour) * 60 + self.minute) * 60 + self.second) * 1_000_000_000
    }
}

struct Cursor<'t> {
    rest: &'t str,
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn skip(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Whether there are more characters; `None` if the next one is not `character`.
    fn separator(&mut self, character: char) -> Option<bool> {
        if self.rest.is_empty() {
            return Some(false);
        }
        self.skip(character).then_some(true)
    }

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    }

    /// One or more digits; values above a million become a million.
    fn number(&mut self) -> Option<i64> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        let add = |value: i64, digit: u8| (value * 10 + i64::from(digit - b'0')).min(1_000_000);
        (length > 0).then(|| digits.bytes().fold(0, add))
    }

    /// Digits after a decimal point, in nanoseconds.
    fn fraction(&mut self) -> Option<i64> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        let padded = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
        (length > 0).then(|| padded.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(pdf_date: &str, xmp_date: &str) -> bool {
        pdf(pdf_date).unwrap().is_same_as_xmp(xmp(xmp_date).unwrap())
    }

    #[test]
    fn equal_moments_agree_in_any_zone() {
        assert!(agree("D:20160201131921+01'00'", "2016-02-01T13:19:21+01:00"));
        assert!(agree("D:20160201131921+01'00", "2016-02-01T12:19:21Z"));
        assert_eq!(pdf("D:20160229233000-0830"), None);
        assert!(agree("D:20160229233000-08'30'", "2016-03-01T08:00:00Z"));
        assert!(agree("D:20160201131921Z", "2016-02-01T13:19:21.000Z"));
        assert!(!agree("D:20160201131921Z", "2016-02-01T13:19:22Z"));
        assert!(!agree("D:20160201131921+01'00'", "2016-02-01T13:19:21Z"));
    }

    #[test]
    fn a_date_without_a_zone_may_be_in_local_time() {
        assert!(agree("D:20160201131921", "2016-02-01T14:19:21+01:00"));
        assert!(!agree("D:20160201131921", "2016-02-01T13:19:21+01:00"));
        assert!(agree("D:20160201131921+01'00'", "2016-02-01T13:19:21"));
        assert!(!agree("D:20160201131921", "2016-02-01T13:19:20"));
    }

    #[test]
    fn invalid_dates_are_refused() {
        for text in [
            "",
            "x",
            "2016-",
            "2016/02/01",
            "2016-02-01 13:19",
            "2016-02-01T",
            "2016-02-01T13:19:21+1:00x",
        ] {
            assert_eq!(xmp(text), None, "{text}");
        }
        for text in [
            "",
            "D:",
            "D:201",
            "D:2016020",
            "D:20160201131921+01'00'x",
            "D:20160201131921Q",
            "D:2016é201",
        ] {
            assert_eq!(pdf(text), None, "{text}");
        }
        for text in
            ["2016", "2016-02", "2016-02-01", "2016-02-01T13:19", "2016-02-01T13:19:21.5+01:00"]
        {
            assert!(xmp(text).is_some(), "{text}");
        }
    }

    #[test]
    fn the_epoch_is_zero() {
        assert_eq!(xmp("1970-01-01T00:00:00Z").unwrap().local, 0);
        assert_eq!(xmp("2000-03-01T00:00:00Z").unwrap().local, 951_868_800_000_000_000);
    }
}
