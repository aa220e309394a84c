//! Grounding: finds each value in the document's text, without the model.
//!
//! A value is searched only in the pages that the model received for it. The comparison depends on the value: numbers
//! by magnitude in each format, dates by day, other texts first literally, then by letters and digits, then by words. A
//! value that is not found is marked, and stays.

mod currency;
mod date_tokens;
pub(crate) mod dates;
mod edges;
mod months;
pub(crate) mod numbers;
mod scan;
mod search;
mod text;
mod tokens;
mod words;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Page;
use crate::schema::{Kind, Node, Scalar};
use dates::{Date, Dated};
use scan::Number;
use text::{Folded, Spot};

/// Whether the text contains a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grounding {
    /// It does; `place` is the position.
    Grounded,
    /// It is a conclusion, not a quotation: yes or no, an option of the schema, a value that the schema marks with
    /// `x-derived`, or a number in another unit than in the text (minor units, `1.5 million`); in the last case `place`
    /// is the position.
    Derived,
    /// `place` is the possible source, but it has another reading, or is a part of something longer: `03/04/2026` as
    /// the 4th of March, 345.67 in `12 345,67`, a number with the other sign, `kr` as SEK.
    Ambiguous,
    /// The text should contain it, and does not.
    Ungrounded,
}

/// The kind of match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Character by character.
    Exact,
    /// By letters and digits, ignoring case, accents, spaces and punctuation.
    Normalised,
    /// The same day or month in another format.
    Date,
    /// The same number in another format.
    Number,
    /// In another unit: minor units of a currency, a percentage, millions.
    Scaled,
    /// A currency symbol.
    Symbol,
    /// The same number with the other sign.
    OtherSign,
    /// The same words, rotated once, or in the lines of a table cell.
    Words,
}

impl Match {
    /// The first factor of the confidence.
    fn weight(self) -> f64 {
        match self {
            Self::Exact => 1.0,
            Self::Normalised | Self::Date | Self::Number => 0.95,
            Self::Scaled | Self::Symbol => 0.8,
            Self::OtherSign | Self::Words => 0.6,
        }
    }
}

/// The position of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The page number.
    pub page: u32,
    /// Index of the first character (Unicode scalar value) in the page's text, from 0.
    pub start: usize,
    /// Index after the last character.
    pub end: usize,
    /// The text at this position, at most 200 characters.
    pub quote: String,
}

/// The grounding of one value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) grounding: Grounding,
    pub(crate) matched: Option<Match>,
    pub(crate) place: Option<Place>,
    pub(crate) occurrences: u32,
    pub(crate) confidence: f64,
}

impl Evidence {
    fn without(grounding: Grounding) -> Self {
        let confidence = if grounding == Grounding::Derived { 0.5 } else { 0.0 };
        Self { grounding, matched: None, place: None, occurrences: 0, confidence }
    }
}

/// A part of a page that a model received: the page's index, and a byte range of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) page: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

struct Index<'a> {
    page: &'a Page,
    folded: Folded,
    numbers: HashMap<String, Vec<Number>>,
    dates: HashMap<Date, Vec<Spot>>,
}

/// The indexed pages of one document.
pub(crate) struct DocumentIndex<'a> {
    pages: Vec<Index<'a>>,
}

/// The best position of a value.
struct Found {
    matched: Match,
    /// The index of the page.
    page: usize,
    spot: Spot,
    occurrences: u32,
    /// The value was computed from the text at the position.
    derived: bool,
}

impl<'a> DocumentIndex<'a> {
    pub(crate) fn new(pages: &'a [Page]) -> Self {
        let scanned: Vec<_> =
            pages.iter().map(|page| (scan::scan(&page.text), dates::scan(&page.text))).collect();
        // Other numbers and dates in the document decide between two readings.
        let decimal = scan::decimal_mark(&scanned.iter().flat_map(|(numbers, _)| numbers));
        let order = dates::order(scanned.iter().flat_map(|(_, dates)| dates));
        let index = |(page, (numbers, dates)): (&'a Page, (Vec<Number>, Vec<Dated>))| Index {
            page,
            folded: Folded::new(&page.text),
            numbers: numbers_of(page, numbers, &dates, decimal),
            dates: dates_of(dates, order),
        };
        Self { pages: pages.iter().zip(scanned).map(index).collect() }
    }

    /// Searches for one value, other than an object or array, in the parts that a model received.
    pub(crate) fn find(&self, value: &Value, node: Option<&Node>, parts: &[Part]) -> Evidence {
        let scalar = match node.map(|node| &node.kind) {
            Some(Kind::Scalar(scalar)) => scalar,
            _ => &Scalar::default(),
        };
        let derived = node.is_some_and(|node| node.derived)
            || !scalar.options.is_empty()
            || value.is_boolean();
        let found = match value {
            Value::Number(number) => {
                let minor_units = number.is_i64() || number.is_u64();
                self.number(&number.to_string(), minor_units && !scalar.is("number"), parts)
            }
            Value::String(text) => self.string(text, scalar, parts),
            _ => None,
        };
        match found {
            Some(found) => self.evidence(value, &found),
            None if derived => Evidence::without(Grounding::Derived),
            None => Evidence::without(Grounding::Ungrounded),
        }
    }

    /// The confidence is the weight of the match, times 0.6 for one letter or digit and 0.8 for two (which occur by
    /// chance), in the value or its quote, times 0.9 if it occurs more than once, times 0.5 if the position has another
    /// reading.
    fn evidence(&self, value: &Value, found: &Found) -> Evidence {
        let page = &self.pages[found.page].page;
        let quote = &page.text[found.spot.start..found.spot.end];
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let length = match letters(&value).min(letters(quote)) {
            // A symbol such as `€` has no letter.
            0 | 1 if found.matched != Match::Symbol => 0.6,
            2 => 0.8,
            _ => 1.0,
        };
        let unique = if found.occurrences > 1 { 0.9 } else { 1.0 };
        let certain = if found.spot.sure { 1.0 } else { 0.5 };
        let before = page.text[..found.spot.start].chars().count();
        Evidence {
            grounding: match (found.spot.sure, found.derived) {
                (false, _) => Grounding::Ambiguous,
                (true, true) => Grounding::Derived,
                (true, false) => Grounding::Grounded,
            },
            matched: Some(found.matched),
            place: Some(Place {
                page: page.number,
                start: before,
                end: before + quote.chars().count(),
                quote: quote.chars().take(200).collect(),
            }),
            occurrences: found.occurrences,
            confidence: rounded(found.matched.weight() * length * unique * certain),
        }
    }
}

/// The numbers of a page by magnitude. Numbers in a date are not certain, except the year.
fn numbers_of(
    page: &Page,
    numbers: Vec<Number>,
    dates: &[Dated],
    decimal: Option<char>,
) -> HashMap<String, Vec<Number>> {
    let mut found: HashMap<String, Vec<Number>> = HashMap::new();
    for mut number in scan::settle(&page.text, numbers, decimal) {
        let near = dates.partition_point(|date| date.start + 64 < number.start);
        let of_date = dates[near..]
            .iter()
            .take_while(|date| date.start <= number.start)
            .any(|date| number.end <= date.end && date.date.day > 0);
        let is_year = number.end - number.start == 4;
        number.sure &= !of_date || is_year;
        found.entry(number.magnitude.clone()).or_default().push(number);
    }
    found
}

fn dates_of(dates: Vec<Dated>, order: Option<dates::Order>) -> HashMap<Date, Vec<Spot>> {
    let mut found: HashMap<Date, Vec<Spot>> = HashMap::new();
    for dated in dates {
        if let Some(sure) = dated.is_sure(order) {
            let spot = Spot { start: dated.start, end: dated.end, sure };
            found.entry(dated.date).or_default().push(spot);
        }
    }
    found
}

/// Rounds to two digits.
pub(crate) fn rounded(confidence: f64) -> f64 {
    (confidence * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod marks;
