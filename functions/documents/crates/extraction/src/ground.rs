//! Grounding: where each value stands in the document's text, found by this code and not by the model.
//!
//! A value is searched only in the pages that the model was shown when it gave it. How it is compared depends on
//! what it is: a number by its magnitude in each format, a date by the day, other texts as they stand, then by
//! their letters and digits, then by their words. A value that is found nowhere is marked, and stays.

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

/// Whether a value stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grounding {
    /// It does, and `place` says where.
    Grounded,
    /// It is a conclusion, not a quotation: a yes or no, an option of the schema, a value that the schema marks with
    /// `x-derived`, or a number that the text holds in another unit, which `place` shows: minor units, `1.5 million`.
    Derived,
    /// `place` shows what it may be taken from, and that can be read in another way too, or is a part of something
    /// longer: `03/04/2026` as the 4th of March, 345.67 in `12 345,67`, a number with the other sign, `kr` as SEK.
    Ambiguous,
    /// It should stand in the text, and does not.
    Ungrounded,
}

/// How a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Character by character.
    Exact,
    /// By letters and digits, without case, accents, spaces and punctuation.
    Normalised,
    /// The same day or month in another format.
    Date,
    /// The same number in another format.
    Number,
    /// In another unit: minor units of a currency, a percentage, millions.
    Scaled,
    /// A currency's sign.
    Symbol,
    /// The same number with the other sign.
    OtherSign,
    /// The same words, turned about one place, or in the lines of a table's cell.
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

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The page's number.
    pub page: u32,
    /// The first character (Unicode scalar value) of the page's text, from 0.
    pub start: usize,
    /// The character after the last one.
    pub end: usize,
    /// The text there, at most 200 characters of it.
    pub quote: String,
}

/// What is known of one value.
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

/// A piece of a page that a model was shown: the page's index, and bytes of its text.
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

/// The pages of one document, ready to be searched.
pub(crate) struct Grounds<'a> {
    pages: Vec<Index<'a>>,
}

/// A value's best place.
struct Found {
    matched: Match,
    /// The index of the page.
    page: usize,
    spot: Spot,
    occurrences: u32,
    /// The value was computed from what stands there.
    derived: bool,
}

impl<'a> Grounds<'a> {
    pub(crate) fn new(pages: &'a [Page]) -> Self {
        let scanned: Vec<_> =
            pages.iter().map(|page| (scan::scan(&page.text), dates::scan(&page.text))).collect();
        // What the document shows of its formats settles those that can be read in two ways.
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

    /// Looks for one value, which is no object and no array, in the parts that a model was shown.
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

    /// A value's confidence is its match's weight, times 0.6 for one letter or digit and 0.8 for two (which stand in
    /// a text by chance), of the value or of its quote, times 0.9 if it stands there more than once, times 0.5 if
    /// what stands there can be read in another way.
    fn evidence(&self, value: &Value, found: &Found) -> Evidence {
        let page = &self.pages[found.page].page;
        let quote = &page.text[found.spot.start..found.spot.end];
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let length = match letters(&value).min(letters(quote)) {
            // A sign such as `€` has no letter.
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

/// The numbers of a page by their magnitudes. Those of a date are not sure, but its year is a number too.
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

/// To two digits.
pub(crate) fn rounded(confidence: f64) -> f64 {
    (confidence * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod marks;
