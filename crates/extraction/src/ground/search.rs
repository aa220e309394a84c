//! Searches for a value, depending on its type.

use super::scan::Number;
use super::text::{Folded, MANY, Spot, find_address, find_exact, is_address};
use super::{DocumentIndex, Found, Index, Match, Part, currency, dates, numbers, words};
use crate::schema::Scalar;

impl DocumentIndex<'_> {
    pub(super) fn string(&self, text: &str, scalar: &Scalar, parts: &[Part]) -> Option<Found> {
        let text = text.trim();
        if scalar.has_format("decimal") {
            return self.number(text, false, parts);
        }
        if currency::is_code(text) && is_currency_code(scalar) {
            return self.currency(text, parts);
        }
        if is_address(text) {
            return self
                .first(parts, Match::Normalised, |index, from, to| {
                    find_address(&index.page.text, text, from, to)
                })
                .map(|found| self.exact_if_same(text, found));
        }
        let exact = || {
            self.first(parts, Match::Exact, |index, from, to| {
                find_exact(&index.page.text, text, from, to)
            })
        };
        // The digits of a date in another order are a different date.
        if !dates::readings(text).is_empty() {
            return best([exact(), self.date(text, parts)].into_iter());
        }
        // A different sign or point makes a different number, and short numbers occur inside many others.
        if numbers::is_decimal(text) && (text.contains(['.', '-']) || text.len() < 4) {
            let as_number = self.plain_number(text, scalar, parts);
            return as_number.or_else(|| exact().filter(|_| !text.contains(['.', '-'])));
        }
        let ways: [&dyn Fn() -> Option<Found>; 5] = [
            &exact,
            &|| self.plain_number(text, scalar, parts),
            &|| {
                self.first(parts, Match::Normalised, |index, from, to| {
                    index.folded.find(&index.page.text, text, from, to)
                })
            },
            &|| self.currency(text, parts).filter(|_| currency::is_code(text)),
            &|| self.words(text, parts),
        ];
        best(ways.iter().map(|way| way()))
    }

    /// A number in a text value, whose type in the schema is not a number: it may be an identifier.
    fn plain_number(&self, text: &str, scalar: &Scalar, parts: &[Part]) -> Option<Found> {
        let is_name = scalar.is("string") && !text.contains('.');
        if !numbers::is_decimal(text) || is_name && text.starts_with('0') {
            return None;
        }
        let mut found = self.number(text, false, parts)?;
        let quote = &self.pages[found.page].page.text[found.spot.start..found.spot.end];
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        found.spot.sure &= !is_name || digits(quote) == digits(text);
        Some(found)
    }

    fn words(&self, text: &str, parts: &[Part]) -> Option<Found> {
        let folded = Folded::new(text);
        self.first(parts, Match::Words, |index, from, to| {
            let spot = words::find(&index.page.text, &index.folded, (text, &folded), from, to);
            (spot, u32::from(spot.is_some()))
        })
    }

    /// The best position that a search finds in the parts, with the total number of positions.
    fn first(
        &self,
        parts: &[Part],
        matched: Match,
        search: impl Fn(&Index<'_>, usize, usize) -> (Option<Spot>, u32),
    ) -> Option<Found> {
        let (mut best, mut count) = (None::<(usize, Spot)>, 0u32);
        for part in parts {
            let (found, number) = search(&self.pages[part.page], part.start, part.end);
            if let Some(spot) =
                found.filter(|spot| best.is_none_or(|(_, best)| spot.sure && !best.sure))
            {
                best = Some((part.page, spot));
            }
            count = count.saturating_add(number);
            if count >= MANY && best.is_some_and(|(_, best)| best.sure) {
                break;
            }
        }
        let occurrences = count.min(MANY);
        best.map(|(page, spot)| Found { matched, page, spot, occurrences, derived: false })
    }

    fn currency(&self, code: &str, parts: &[Part]) -> Option<Found> {
        let as_code = self.first(parts, Match::Exact, |index, from, to| {
            currency::find_code(&index.page.text, code, from, to)
        });
        let as_code = as_code.map(|found| Found { matched: Match::Normalised, ..found });
        let as_sign = currency::signs(code).map(|sign| {
            self.first(parts, Match::Symbol, |index, from, to| {
                currency::find_sign(&index.page.text, sign, from, to)
            })
        });
        best([as_code.map(|found| self.exact_if_same(code, found))].into_iter().chain(as_sign))
    }

    fn date(&self, text: &str, parts: &[Part]) -> Option<Found> {
        let dates = dates::readings(text);
        let found = self.first(parts, Match::Date, |index, from, to| {
            let places = dates.iter().filter_map(|date| index.dates.get(date)).flatten();
            inside(places.copied(), from, to)
        });
        found.map(|found| self.exact_if_same(text, found))
    }

    /// Searches for a number by magnitude and sign, then in another unit, then with the other sign.
    pub(super) fn number(&self, text: &str, minor_units: bool, parts: &[Part]) -> Option<Found> {
        if !numbers::is_decimal(text) {
            return None;
        }
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let magnitude = numbers::canonical(whole, fraction);
        let search = |matched, magnitude: &str, accept: &dyn Fn(&Number) -> bool| {
            self.first(parts, matched, |index, from, to| {
                let numbers = index.numbers.get(magnitude).into_iter().flatten();
                let found = numbers.filter(|number| accept(number));
                inside(found.map(|number| spot(number, fraction)), from, to)
            })
        };
        let same = |number: &Number| number.negative == negative;
        let found = search(Match::Number, &magnitude, &|number| same(number) && number.times == 0)
            .map(|found| self.exact_if_same(digits, found));
        if found.as_ref().is_some_and(|found| found.spot.sure) {
            return found;
        }
        // 0.19 for 19 %.
        let percents = numbers::hundredfold(&magnitude);
        let percent = search(Match::Scaled, &percents, &|number| number.percent && same(number));
        // 51060 for 510,60.
        let minor = (minor_units && fraction.is_empty()).then(|| {
            let major = numbers::divided(&magnitude, 2);
            search(Match::Scaled, &major, &|number| number.fraction == 2 && same(number))
        });
        // 1500000 for 1.5 million.
        let words = [3, 5, 6, 7, 9].map(|power| {
            let of_word = |number: &Number| number.times == power && same(number);
            search(Match::Scaled, &numbers::divided(&magnitude, power), &of_word)
        });
        let computed = minor.into_iter().chain(words).flatten();
        let computed = computed.map(|found| Some(Found { derived: true, ..found }));
        let other_sign =
            search(Match::OtherSign, &magnitude, &|number| !same(number) || number.times > 0);
        let other_sign = other_sign.map(|mut found| {
            found.spot.sure = false;
            found
        });
        best([found, percent].into_iter().chain(computed).chain([other_sign]))
    }

    fn exact_if_same(&self, text: &str, mut found: Found) -> Found {
        let same = &self.pages[found.page].page.text[found.spot.start..found.spot.end] == text;
        if same {
            found.matched = Match::Exact;
        }
        found
    }
}

/// The first certain one, or else the first.
fn best(ways: impl Iterator<Item = Option<Found>>) -> Option<Found> {
    let mut unsure = None;
    for found in ways.flatten() {
        if found.spot.sure {
            return Some(found);
        }
        unsure = unsure.or(Some(found));
    }
    unsure
}

/// Whether the schema's values are currency codes.
fn is_currency_code(scalar: &Scalar) -> bool {
    let pattern = scalar.bounds.get("pattern").and_then(|pattern| pattern.as_str());
    let is_code = |option: &serde_json::Value| option.as_str().is_some_and(currency::is_code);
    pattern.is_some_and(|pattern| pattern.contains("[A-Z]{3}"))
        || !scalar.options.is_empty() && scalar.options.iter().all(is_code)
}

/// The position of a number. If the value has a fraction of zeros that the text does not print, the position is certain
/// only at a currency or with at least four characters, because any 3 may match 3.00.
fn spot(number: &Number, fraction: &str) -> Spot {
    let is_padded = !fraction.is_empty() && number.fraction == 0;
    let is_short = number.end - number.start < 4;
    let sure = number.sure && (!is_padded || !is_short || number.amount || number.percent);
    Spot { start: number.start, end: number.end, sure }
}

fn inside(spots: impl Iterator<Item = Spot>, from: usize, to: usize) -> (Option<Spot>, u32) {
    let mut spots: Vec<_> = spots.filter(|spot| spot.start >= from && spot.end <= to).collect();
    spots.sort_unstable();
    spots.dedup_by_key(|spot| (spot.start, spot.end));
    Spot::best(spots.into_iter())
}
