//! Grounding: where each value stands in the document's text, found by this code and not by the model.
//!
//! A value is searched only in the pages that the model was shown when it gave it. How it is compared depends on
//! what it is: a number by its magnitude in each format, a date by the day, other texts as they stand, then by
//! their letters and digits, then by their words. A value that is found nowhere is marked, and stays.

pub(crate) mod currency;
pub(crate) mod dates;
pub(crate) mod numbers;
mod text;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Page;
use crate::schema::{Kind, Node, Scalar};
use dates::Date;
use numbers::Number;
use text::{Folded, find_exact};

/// Whether a value stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grounding {
    /// It does, and `place` says where.
    Grounded,
    /// It is a conclusion, not a quotation: a yes or no, an option of the schema, or a value that the schema marks
    /// with `x-derived`. Nothing in the text was found to hold it.
    Derived,
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
    /// A hundredth or the hundredfold: minor units of a currency, or a percentage.
    Scaled,
    /// A currency's sign.
    Symbol,
    /// The same number with the other sign.
    OtherSign,
    /// The same words, close together, in another order.
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
    dates: HashMap<Date, Vec<(usize, usize)>>,
}

/// The pages of one document, ready to be searched.
pub(crate) struct Grounds<'a> {
    pages: Vec<Index<'a>>,
}

type Found = (Match, usize, (usize, usize), u32);

impl<'a> Grounds<'a> {
    pub(crate) fn new(pages: &'a [Page]) -> Self {
        let index = |page: &'a Page| {
            let mut numbers: HashMap<String, Vec<Number>> = HashMap::new();
            for number in numbers::scan(&page.text) {
                numbers.entry(number.magnitude.clone()).or_default().push(number);
            }
            let mut dates: HashMap<Date, Vec<(usize, usize)>> = HashMap::new();
            for (date, start, end) in dates::scan(&page.text) {
                dates.entry(date).or_default().push((start, end));
            }
            Index { page, folded: Folded::new(&page.text), numbers, dates }
        };
        Self { pages: pages.iter().map(index).collect() }
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
            Value::Number(number) => self.number(&number.to_string(), parts),
            Value::String(text) => self.string(text, scalar, parts),
            _ => None,
        };
        match found {
            Some(found) => self.evidence(value, found),
            None if derived => Evidence::without(Grounding::Derived),
            None => Evidence::without(Grounding::Ungrounded),
        }
    }

    /// A value's confidence is its match's weight, times 0.6 for one letter or digit and 0.8 for two (which stand in
    /// a text by chance), times 0.9 if it stands there more than once.
    fn evidence(
        &self,
        value: &Value,
        (matched, page, (start, end), occurrences): Found,
    ) -> Evidence {
        let page = &self.pages[page].page;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let length = match value.chars().filter(|c| c.is_alphanumeric()).count() {
            0 | 1 => 0.6,
            2 => 0.8,
            _ => 1.0,
        };
        let unique = if occurrences > 1 { 0.9 } else { 1.0 };
        let before = page.text[..start].chars().count();
        let quote = &page.text[start..end];
        Evidence {
            grounding: Grounding::Grounded,
            matched: Some(matched),
            place: Some(Place {
                page: page.number,
                start: before,
                end: before + quote.chars().count(),
                quote: quote.chars().take(200).collect(),
            }),
            occurrences,
            confidence: rounded(matched.weight() * length * unique),
        }
    }

    fn string(&self, text: &str, scalar: &Scalar, parts: &[Part]) -> Option<Found> {
        let text = text.trim();
        // A number is not looked for as a text first: the text `12` stands in `12.50` too.
        if numbers::is_decimal(text)
            && let Some(found) = self.number(text, parts)
        {
            return Some(found);
        }
        if scalar.has_format("decimal") {
            return None;
        }
        let folded = Folded::new(text);
        self.first(parts, Match::Exact, |index, from, to| {
            find_exact(&index.page.text, text, from, to)
        })
        .or_else(|| self.date(text, parts))
        .or_else(|| {
            self.first(parts, Match::Normalised, |index, from, to| {
                index.folded.find(&folded.flat, from, to)
            })
        })
        .or_else(|| self.symbol(text, parts))
        .or_else(|| {
            self.first(parts, Match::Words, |index, from, to| {
                let found = index.folded.find_words(&folded, from, to);
                (found, u32::from(found.is_some()))
            })
        })
    }

    /// The first of the places that a search finds in the parts, with the number of all.
    fn first(
        &self,
        parts: &[Part],
        matched: Match,
        search: impl Fn(&Index<'_>, usize, usize) -> (Option<(usize, usize)>, u32),
    ) -> Option<Found> {
        let (mut first, mut count) = (None, 0u32);
        for part in parts {
            let (found, number) = search(&self.pages[part.page], part.start, part.end);
            first = first.or(found.map(|place| (part.page, place)));
            count = count.saturating_add(number);
            if count >= text::MANY {
                break;
            }
        }
        first.map(|(page, place)| (matched, page, place, count))
    }

    fn symbol(&self, text: &str, parts: &[Part]) -> Option<Found> {
        let symbols = currency::symbols(text)?;
        symbols.iter().find_map(|symbol| {
            self.first(parts, Match::Symbol, |index, from, to| {
                // Signs stand right at their amounts: `12,00zł`, `R$5`.
                let part = index.page.text.get(from..to).unwrap_or_default();
                let first = part.find(symbol).map(|at| (from + at, from + at + symbol.len()));
                (first, u32::from(first.is_some()))
            })
        })
    }

    fn date(&self, text: &str, parts: &[Part]) -> Option<Found> {
        let dates = dates::readings(text);
        let found = self.first(parts, Match::Date, |index, from, to| {
            let places = dates.iter().filter_map(|date| index.dates.get(date)).flatten();
            inside(places.copied(), from, to)
        });
        found.map(|found| self.exact_if_same(text, found))
    }

    fn number(&self, text: &str, parts: &[Part]) -> Option<Found> {
        let value = numbers::readings(text)
            .into_iter()
            .find(|number| numbers::is_decimal(text) && number.fraction == fraction(text))?;
        let search = |matched, magnitude: &str, accept: &dyn Fn(&Index<'_>, &Number) -> bool| {
            self.first(parts, matched, |index, from, to| {
                let found = index
                    .numbers
                    .get(magnitude)
                    .into_iter()
                    .flatten()
                    .filter(|number| accept(index, number));
                inside(found.map(|number| (number.start, number.end)), from, to)
            })
        };
        let same = |number: &Number| number.negative == value.negative;
        let found = search(Match::Number, &value.magnitude, &|_, number| same(number));
        found
            .map(|found| self.exact_if_same(text.trim_start_matches('-'), found))
            // 51060 for 510,60.
            .or_else(|| {
                let minor = (value.fraction == 0).then(|| numbers::hundredth(&value.magnitude))?;
                search(Match::Scaled, &minor, &|_, number| number.fraction == 2 && same(number))
            })
            // 0.19 for 19 %.
            .or_else(|| {
                let percents = numbers::hundredfold(&value.magnitude);
                search(Match::Scaled, &percents, &|index, number| {
                    index.page.text[number.end..].trim_start().starts_with('%') && same(number)
                })
            })
            .or_else(|| search(Match::OtherSign, &value.magnitude, &|_, _| true))
    }

    fn exact_if_same(&self, text: &str, (matched, page, (start, end), count): Found) -> Found {
        let same = &self.pages[page].page.text[start..end] == text;
        (if same { Match::Exact } else { matched }, page, (start, end), count)
    }
}

fn fraction(decimal: &str) -> usize {
    decimal.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

fn inside(
    places: impl Iterator<Item = (usize, usize)>,
    from: usize,
    to: usize,
) -> (Option<(usize, usize)>, u32) {
    let mut places: Vec<_> = places.filter(|(start, end)| *start >= from && *end <= to).collect();
    places.sort_unstable();
    places.dedup();
    (places.first().copied(), u32::try_from(places.len()).unwrap_or(u32::MAX).min(text::MANY))
}

/// To two digits.
pub(crate) fn rounded(confidence: f64) -> f64 {
    (confidence * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod marks;
