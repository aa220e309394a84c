//! Dates as documents print them: `2026-11-21`, `21.11.2026`, `11/21/26`, `21 November 2026`, `12 kwietnia 2024`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A date in a text, or a month of a year if the day is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Date {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

/// The months' names without accents, and their common abbreviations: English, German, French, Spanish,
/// Portuguese, Italian, Dutch and Polish.
#[rustfmt::skip]
const MONTHS: [&[&str]; 12] = [
    &["january", "jan", "januar", "janner", "janvier", "janv", "enero", "ene", "janeiro", "gennaio", "gen", "januari", "stycznia", "styczen"],
    &["february", "feb", "februar", "fevrier", "fevr", "febrero", "fevereiro", "fev", "febbraio", "februari", "lutego", "luty"],
    &["march", "mar", "marz", "maerz", "mrz", "mars", "marzo", "marco", "maart", "mrt", "marca", "marzec"],
    &["april", "apr", "avril", "avr", "abril", "abr", "aprile", "kwietnia", "kwiecien"],
    &["may", "mai", "mayo", "maio", "maggio", "mag", "mei", "maja", "maj"],
    &["june", "jun", "juni", "juin", "junio", "junho", "giugno", "giu", "czerwca", "czerwiec"],
    &["july", "jul", "juli", "juillet", "juil", "julio", "julho", "luglio", "lug", "lipca", "lipiec"],
    &["august", "aug", "aout", "agosto", "ago", "augustus", "sierpnia", "sierpien"],
    &["september", "sep", "sept", "septembre", "septiembre", "setiembre", "setembro", "set", "settembre", "wrzesnia", "wrzesien"],
    &["october", "oct", "oktober", "okt", "octobre", "octubre", "outubro", "out", "ottobre", "ott", "pazdziernika", "pazdziernik"],
    &["november", "nov", "novembre", "noviembre", "novembro", "listopada", "listopad"],
    &["december", "dec", "dezember", "dez", "decembre", "diciembre", "dic", "dezembro", "dicembre", "grudnia", "grudzien"],
];

fn month_of(word: &str) -> Option<u8> {
    let word: String =
        word.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    let index = MONTHS.iter().position(|names| names.contains(&word.as_str()))?;
    u8::try_from(index + 1).ok()
}

impl Date {
    /// The date if the calendar has it, in a year from 1800 to 2199; with day 0, the month.
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

/// Whether a text is `YYYY-MM-DD` and a day of the calendar.
pub(crate) fn is_iso(text: &str) -> bool {
    text.len() == 10
        && text.is_char_boundary(4)
        && text.as_bytes()[4] == b'-'
        && to_iso(text).as_deref() == Some(text)
}

/// A text that is one date in one reading, as `YYYY-MM-DD`.
pub(crate) fn to_iso(text: &str) -> Option<String> {
    let found = readings(text);
    match found[..] {
        [date] if date.day > 0 => {
            Some(format!("{:04}-{:02}-{:02}", date.year, date.month, date.day))
        }
        _ => None,
    }
}

/// The date that a whole text is, in each way to read it: `04/05/2026` is two.
pub(crate) fn readings(text: &str) -> Vec<Date> {
    let text = text.trim();
    let mut found: Vec<Date> = scan(text)
        .into_iter()
        .filter(|(_, start, end)| *start == 0 && *end == text.len())
        .map(|(date, ..)| date)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Number { value: u32, digits: usize },
    Word(&'a str),
    Mark(char),
}

struct Tokens<'a> {
    tokens: Vec<(Token<'a>, usize, usize)>,
}

/// All dates in a text, in each way to read them, with the bytes where they stand.
pub(crate) fn scan(text: &str) -> Vec<(Date, usize, usize)> {
    let tokens = tokens(text);
    let mut dates = Vec::new();
    for at in 0..tokens.tokens.len() {
        let mut add = |found: Option<(Date, usize)>| {
            if let Some((date, last)) = found {
                dates.push((date, tokens.tokens[at].1, tokens.tokens[last].2));
            }
        };
        match tokens.tokens[at].0 {
            Token::Number { value, digits: 4 } => {
                add(tokens.year_first(at, value));
            }
            Token::Number { value, digits: 1 | 2 } => {
                let glued = at > 0 && tokens.joined_by_mark(at);
                if !glued {
                    add(tokens.day_first(at, value, false));
                    add(tokens.day_first(at, value, true));
                }
                add(tokens.day_and_name(at, value));
                add(tokens.month_of_year(at, value));
            }
            Token::Word(word) => {
                if let Some(month) = month_of(word) {
                    add(tokens.name_and_day(at, month.into()));
                    add(tokens.name_and_year(at, month.into()));
                }
            }
            _ => {}
        }
    }
    dates.sort_unstable();
    dates.dedup();
    dates
}

fn tokens(text: &str) -> Tokens<'_> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let class = |c: char| {
            if c.is_ascii_digit() {
                1
            } else {
                i32::from(c.is_alphabetic() || is_combining_mark(c)) * 2
            }
        };
        let ideograph = ('\u{4e00}'..='\u{9fff}').contains(&c);
        let end = match class(c) {
            0 => at + c.len_utf8(),
            _ if ideograph => at + c.len_utf8(),
            kind => text[at..].find(|c| class(c) != kind).map_or(text.len(), |length| at + length),
        };
        let piece = &text[at..end];
        match class(c) {
            0 if c.is_whitespace() => {}
            0 => tokens.push((Token::Mark(c), at, end)),
            1 => {
                let value = if piece.len() <= 4 { piece.parse().unwrap_or(0) } else { 0 };
                tokens.push((Token::Number { value, digits: piece.len() }, at, end));
            }
            _ => tokens.push((Token::Word(piece), at, end)),
        }
        at = end;
    }
    Tokens { tokens }
}

impl Tokens<'_> {
    fn number(&self, at: usize, lengths: &[usize]) -> Option<u32> {
        match self.tokens.get(at)?.0 {
            Token::Number { value, digits } if lengths.contains(&digits) => Some(value),
            _ => None,
        }
    }

    fn month(&self, at: usize) -> Option<u32> {
        match self.tokens.get(at)?.0 {
            Token::Word(word) => month_of(word).map(u32::from),
            _ => None,
        }
    }

    fn mark(&self, at: usize) -> Option<char> {
        match self.tokens.get(at)?.0 {
            Token::Mark(mark) => Some(mark),
            Token::Word(word @ ("年" | "月" | "日")) => word.chars().next(),
            _ => None,
        }
    }

    /// The token after the marks and small words that may stand between a date's parts.
    fn past(&self, at: usize, words: &[&str]) -> usize {
        let skips = |at: usize| match self.tokens.get(at).map(|token| token.0) {
            Some(Token::Mark(mark)) => matches!(mark, '.' | ',' | '-' | '/' | 'º' | '°' | '\''),
            Some(Token::Word(word)) => words.iter().any(|known| word.eq_ignore_ascii_case(known)),
            _ => false,
        };
        (at..at + 3).find(|at| !skips(*at)).unwrap_or(at + 3)
    }

    /// A number right behind a mark and another number belongs to what began there: `1.2.2026` is not `2.2026`.
    fn joined_by_mark(&self, at: usize) -> bool {
        let mark = matches!(self.mark(at - 1), Some('.' | '/' | '-'))
            && self.tokens[at - 1].2 == self.tokens[at].1;
        mark && at > 1
            && matches!(self.tokens[at - 2].0, Token::Number { .. })
            && self.tokens[at - 2].2 == self.tokens[at - 1].1
    }

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

    /// `21.11.2026`, `21/11/26`, and with `american` `11/21/2026`.
    fn day_first(&self, at: usize, first: u32, american: bool) -> Option<(Date, usize)> {
        let mark = self.mark(at + 1).filter(|mark| matches!(mark, '.' | '/' | '-'))?;
        let second = self.number(at + 2, &[1, 2])?;
        if self.mark(at + 3) != Some(mark) {
            return None;
        }
        let year = self.number(at + 4, &[2, 4])?;
        // Two digits are of this century up to 2069, as POSIX has it.
        let year = match year {
            0..=68 => 2000 + year,
            69..=99 => 1900 + year,
            year => year,
        };
        let (day, month) = if american { (second, first) } else { (first, second) };
        Some((Date::new(year, month, day).filter(|date| date.day > 0)?, at + 4))
    }

    /// `21 November 2026`, `21st of November, 2026`, `21. Nov. 2026`, `21-Nov-2026`, `21 de noviembre de 2026`.
    fn day_and_name(&self, at: usize, day: u32) -> Option<(Date, usize)> {
        let name = self.past(at + 1, &["st", "nd", "rd", "th", "er", "of", "de"]);
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
    fn a_month_is_read_without_a_day() {
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
    fn what_the_calendar_lacks_is_no_date() {
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
        assert!(found.iter().any(|(date, ..)| *date == Date { year: 2024, month: 4, day: 12 }));
        assert!(found.iter().any(|(date, ..)| *date == Date { year: 2024, month: 4, day: 26 }));
    }

    proptest! {
        #[test]
        fn any_text_is_scanned(text in "\\PC{0,80}") {
            for (_, start, end) in scan(&text) {
                prop_assert!(start < end && text.is_char_boundary(start) && text.is_char_boundary(end));
            }
        }

        #[test]
        fn every_iso_date_is_itself(year in 1800u32..2200, month in 1u32..13, day in 1u32..29) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            prop_assert!(is_iso(&text));
        }
    }
}
