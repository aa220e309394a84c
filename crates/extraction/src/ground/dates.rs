//! Dates in printed formats: `2026-11-21`, `21.11.2026`, `11/21/26`, `21 November 2026`, `12 kwietnia 2024`.

use super::date_tokens::{Token, Tokens, tokens};

/// A date in a text; day 0 means a month and year without a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Date {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

/// Two-digit years up to 68 are in this century, as in POSIX.
fn century(year: u32) -> u32 {
    match year {
        0..=68 => 2000 + year,
        69..=99 => 1900 + year,
        year => year,
    }
}

impl Date {
    /// A valid calendar date in a year from 1800 to 2199; with day 0, a month.
    fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            _ => return None,
        };
        if !(1800..2200).contains(&year) || day > days {
            return None;
        }
        Some(Self {
            year: year.try_into().ok()?,
            month: month.try_into().ok()?,
            day: day.try_into().ok()?,
        })
    }
}

/// Whether a text is a valid date as `YYYY-MM-DD`.
pub(crate) fn is_iso(text: &str) -> bool {
    text.len() == 10
        && text.is_char_boundary(4)
        && text.as_bytes()[4] == b'-'
        && to_iso(text).as_deref() == Some(text)
}

/// Converts a text that is one date with one reading to `YYYY-MM-DD`.
pub(crate) fn to_iso(text: &str) -> Option<String> {
    let found = readings(text);
    match found[..] {
        [date] if date.day > 0 => {
            Some(format!("{:04}-{:02}-{:02}", date.year, date.month, date.day))
        }
        _ => None,
    }
}

/// All readings of a text that is a date: `04/05/2026` has two.
pub(crate) fn readings(text: &str) -> Vec<Date> {
    let text = text.trim();
    let mut found: Vec<Date> = scan(text)
        .into_iter()
        .filter(|found| found.start == 0 && found.end == text.len())
        .map(|found| found.date)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// A date, and its byte range in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dated {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) date: Date,
    /// The order of day and month, if only the order distinguishes them.
    order: Option<Order>,
    /// Whether the same digits have another reading.
    open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    DayFirst,
    MonthFirst,
}

/// The order of a document's numeric dates, if some have only one reading, and all of these have the same order.
pub(super) fn order<'a>(dates: impl Iterator<Item = &'a Dated>) -> Option<Order> {
    let mut orders: Vec<Order> =
        dates.filter(|date| !date.open).filter_map(|date| date.order).collect();
    orders.sort_unstable();
    orders.dedup();
    <[Order; 1]>::try_from(orders).ok().map(|[order]| order)
}

impl Dated {
    /// Whether this is the only reading of the date in a document with this order; `None` if the order excludes it.
    pub(super) fn is_sure(&self, order: Option<Order>) -> Option<bool> {
        match (self.open, order, self.order) {
            (false, ..) => Some(true),
            (true, Some(order), Some(own)) => (order == own).then_some(true),
            _ => Some(false),
        }
    }
}

/// All dates in a text, in all readings, by position.
pub(crate) fn scan(text: &str) -> Vec<Dated> {
    let tokens = tokens(text);
    let mut dates = Vec::new();
    for at in 0..tokens.tokens.len() {
        let mut add = |found: Option<(Date, usize)>, order, open| {
            if let Some((date, last)) = found.filter(|(_, last)| !tokens.continues(*last)) {
                let (start, end) = (tokens.tokens[at].1, tokens.tokens[last].2);
                dates.push(Dated { start, end, date, order, open });
            }
        };
        match tokens.tokens[at].0 {
            Token::Number { value, digits: 4 } => add(tokens.year_first(at, value), None, false),
            Token::Number { value, digits: 8 } => add(tokens.compact(at, value), None, false),
            Token::Number { value, digits: 1 | 2 } => {
                let readings = tokens.numeric(at, value);
                let open = readings.iter().any(|(found, _)| found.0 != readings[0].0.0);
                for (found, order) in readings {
                    add(Some(found), order, open);
                }
                add(tokens.day_and_name(at, value), None, false);
                add(tokens.month_of_year(at, value), None, false);
            }
            Token::Month(month) => {
                add(tokens.name_and_day(at, month.into()), None, false);
                add(tokens.name_and_year(at, month.into()), None, false);
            }
            _ => {}
        }
    }
    dates.sort_unstable();
    dates.dedup();
    dates
}

impl Tokens<'_> {
    /// `2026-11-21`, `2026/11/21`, `2026. 11. 21`, `2026年11月21日`, `2026. november 21`.
    fn year_first(&self, at: usize, year: u32) -> Option<(Date, usize)> {
        let mark = self.mark(at + 1)?;
        if !matches!(mark, '-' | '/' | '.' | '年') {
            return None;
        }
        if let (Some(month), Some(day)) =
            (self.month(at + 2), self.number(self.past(at + 3, &[]), &[1, 2]))
        {
            return Date::new(year, month, day)
                .filter(|date| date.day > 0)
                .map(|date| (date, self.past(at + 3, &[])));
        }
        let month = self.number(at + 2, &[1, 2])?;
        let second = self.mark(at + 3);
        if second == Some(mark) || (mark == '年' && second == Some('月')) {
            let day = self.number(at + 4, &[1, 2]).filter(|day| *day > 0)?;
            let last = if self.mark(at + 5) == Some('日') { at + 5 } else { at + 4 };
            return Some((Date::new(year, month, day)?, last));
        }
        Some((Date::new(year, month, 0).filter(|_| mark != '.')?, at + 2))
    }

    /// `20261121`.
    fn compact(&self, at: usize, value: u32) -> Option<(Date, usize)> {
        let glued = at > 0
            && (self.joined_by_mark(at)
                || self.tokens[at - 1].2 == self.tokens[at].1
                    && matches!(self.tokens[at - 1].0, Token::Word(_)));
        let date = Date::new(value / 10_000, value / 100 % 100, value % 100)?;
        (date.day > 0 && !glued).then_some((date, at))
    }

    /// The readings of three numbers with the same mark between them, with the day or the month first: `21.11.2026`,
    /// `11/21/26`. With dots the day is first, if it is valid. In `26-11-21` the year may be first.
    fn numeric(&self, at: usize, first: u32) -> Vec<((Date, usize), Option<Order>)> {
        let joined = at > 0 && self.joined_by_mark(at);
        let mark = self.mark(at + 1).filter(|mark| !joined && matches!(mark, '.' | '/' | '-'));
        let (Some(second), true) = (self.number(at + 2, &[1, 2]), mark.is_some()) else {
            return Vec::new();
        };
        let (true, Some(third)) = (self.mark(at + 3) == mark, self.number(at + 4, &[2, 4])) else {
            return Vec::new();
        };
        let date = |year, month, day| {
            Some((Date::new(century(year), month, day).filter(|date| date.day > 0)?, at + 4))
        };
        let day_first = date(third, second, first);
        let month_first =
            date(third, first, second).filter(|_| mark != Some('.') || day_first.is_none());
        let is_short = self.number(at, &[2]).and(self.number(at + 4, &[2])).is_some();
        let year_first = date(first, second, third).filter(|_| mark == Some('-') && is_short);
        let by_order = |found: Option<(Date, usize)>, order| found.map(|found| (found, order));
        let told = |order| Some(order).filter(|_| mark != Some('.'));
        [
            by_order(day_first, told(Order::DayFirst)),
            by_order(month_first, told(Order::MonthFirst)),
            by_order(year_first, None),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// `21 November 2026`, `21st of November, 2026`, `21. Nov. 2026`, `21-Nov-2026`, `21 de noviembre de 2026`.
    fn day_and_name(&self, at: usize, day: u32) -> Option<(Date, usize)> {
        let name = self.past(at + 1, &["st", "nd", "rd", "th", "er", "day", "of", "de"]);
        let month = self.month(name)?;
        let last = self.past(name + 1, &["of", "de", "del"]);
        let year = self.number(last, &[4])?;
        Some((Date::new(year, month, day).filter(|date| date.day > 0)?, last))
    }

    /// `November 21, 2026`, `Nov. 21st 2026`.
    fn name_and_day(&self, at: usize, month: u32) -> Option<(Date, usize)> {
        let day_at = self.past(at + 1, &[]);
        let day = self.number(day_at, &[1, 2]).filter(|day| *day > 0)?;
        let last = self.past(day_at + 1, &["st", "nd", "rd", "th"]);
        let year = self.number(last, &[4])?;
        Some((Date::new(year, month, day)?, last))
    }

    /// `November 2026`, `novembre de 2026`.
    fn name_and_year(&self, at: usize, month: u32) -> Option<(Date, usize)> {
        let last = self.past(at + 1, &["of", "de", "del"]);
        Some((Date::new(self.number(last, &[4])?, month, 0)?, last))
    }

    /// `11/2026`.
    fn month_of_year(&self, at: usize, month: u32) -> Option<(Date, usize)> {
        let joined = at > 0 && self.joined_by_mark(at);
        self.mark(at + 1).filter(|mark| matches!(mark, '.' | '/' | '-') && !joined)?;
        Some((Date::new(self.number(at + 2, &[4])?, month, 0)?, at + 2))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_format_is_read() {
        for text in [
            "2026-11-21",
            "2026/11/21",
            "2026. 11. 21",
            "21.11.2026",
            "21. 11. 2026",
            "21/11/2026",
            "11/21/2026",
            "21/11/26",
            "21 November 2026",
            "21st of November, 2026",
            "21. Nov. 2026",
            "21-Nov-2026",
            "November 21, 2026",
            "Nov. 21st 2026",
            "21 de noviembre de 2026",
            "21 novembre 2026",
            "21 listopada 2026",
            "2026年11月21日",
            "2026. november 21",
        ] {
            assert_eq!(readings(text), [Date { year: 2026, month: 11, day: 21 }], "{text}");
            assert_eq!(to_iso(text).as_deref(), Some("2026-11-21"), "{text}");
        }
        assert_eq!(to_iso("12 kwietnia 2024").as_deref(), Some("2024-04-12"));
        assert_eq!(to_iso("1er août 2025").as_deref(), Some("2025-08-01"));
        assert_eq!(to_iso("3. März 2025").as_deref(), Some("2025-03-03"));
    }

    #[test]
    fn a_month_without_a_day_is_read() {
        for text in ["November 2026", "11/2026", "2026-11", "Nov. 2026"] {
            assert_eq!(readings(text), [Date { year: 2026, month: 11, day: 0 }], "{text}");
            assert_eq!(to_iso(text), None);
        }
    }

    #[test]
    fn an_ambiguous_date_has_two_readings_and_no_iso_form() {
        assert_eq!(readings("04/05/2026").len(), 2);
        assert_eq!(to_iso("04/05/2026"), None);
        assert_eq!(to_iso("05/05/2026").as_deref(), Some("2026-05-05"));
    }

    #[test]
    fn invalid_calendar_dates_are_refused() {
        for text in [
            "2026-02-29",
            "31.04.2026",
            "2026-13-01",
            "0/0/2026",
            "1.2.3.4",
            "02.03.",
            "due 12 2026",
        ] {
            assert!(readings(text).is_empty(), "{text}: {:?}", readings(text));
        }
        assert!(
            is_iso("2024-02-29")
                && !is_iso("2026-02-29")
                && !is_iso("2026/02/01")
                && !is_iso("2026-2-1")
        );
    }

    #[test]
    fn dates_are_found_inside_of_text() {
        let found = scan("Data wystawienia: 12 kwietnia 2024 roku, zapłata do 2024-04-26.");
        assert!(found.iter().any(|found| found.date == Date { year: 2024, month: 4, day: 12 }));
        assert!(found.iter().any(|found| found.date == Date { year: 2024, month: 4, day: 26 }));
    }

    proptest! {
        #[test]
        fn any_text_is_scanned(text in "\\PC{0,80}") {
            for Dated { start, end, .. } in scan(&text) {
                prop_assert!(start < end && text.is_char_boundary(start) && text.is_char_boundary(end));
            }
        }

        #[test]
        fn every_iso_date_is_unchanged(year in 1800u32..2200, month in 1u32..13, day in 1u32..29) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            prop_assert!(is_iso(&text));
        }
    }
}
