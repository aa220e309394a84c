//! Names of months.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Names of months without accents, and their common abbreviations: English, German, French, Spanish, Portuguese,
/// Italian, Dutch, Polish, Danish, Norwegian and Swedish.
#[rustfmt::skip]
const MONTHS: [&[&str]; 12] = [
    &["january", "jan", "januar", "janner", "janvier", "janv", "enero", "ene", "janeiro", "gennaio", "gen", "januari", "stycznia", "styczen"],
    &["february", "feb", "februar", "fevrier", "fevr", "febrero", "fevereiro", "fev", "febbraio", "februari", "lutego", "luty"],
    &["march", "mar", "marz", "maerz", "mrz", "mars", "marzo", "marco", "maart", "mrt", "marts", "marca", "marzec"],
    &["april", "apr", "avril", "avr", "abril", "abr", "aprile", "kwietnia", "kwiecien"],
    &["may", "mai", "mayo", "maio", "maggio", "mag", "mei", "maja", "maj"],
    &["june", "jun", "juni", "juin", "junio", "junho", "giugno", "giu", "czerwca", "czerwiec"],
    &["july", "jul", "juli", "juillet", "juil", "julio", "julho", "luglio", "lug", "lipca", "lipiec"],
    &["august", "aug", "aout", "agosto", "ago", "augustus", "augusti", "sierpnia", "sierpien"],
    &["september", "sep", "sept", "septembre", "septiembre", "setiembre", "setembro", "set", "settembre", "wrzesnia", "wrzesien"],
    &["october", "oct", "oktober", "okt", "octobre", "octubre", "outubro", "out", "ottobre", "ott", "pazdziernika", "pazdziernik"],
    &["november", "nov", "novembre", "noviembre", "novembro", "listopada", "listopad"],
    &["december", "dec", "desember", "des", "dezember", "dez", "decembre", "diciembre", "dic", "dezembro", "dicembre", "grudnia", "grudzien"],
];

/// The month with this name; `None` if the word is not a month.
pub(super) fn month_of(word: &str) -> Option<u8> {
    let word: String =
        word.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    let index = MONTHS.iter().position(|names| names.contains(&word.as_str()))?;
    u8::try_from(index + 1).ok()
}
