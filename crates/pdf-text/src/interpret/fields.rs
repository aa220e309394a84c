//! The values of form fields and the texts of notes, as a viewer displays them (ISO 32000-1,
//! 12.5.6.6 and 12.7.3).

use cos::{Dict, File, Object, Source};

use crate::refusal::{Refusal, lenient};

/// Maximum number of parents of a field. More of them are a loop or a hostile file.
const MAX_PARENTS: usize = 32;
/// Flags of text fields: multiple lines; password.
const MULTILINE: i64 = 1 << 12;
const PASSWORD: i64 = 1 << 13;

/// A visible value.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) text: String,
    /// The size of the text, if specified.
    pub(super) size: Option<f64>,
    /// Whether the text may have several lines.
    pub(super) has_lines: bool,
}

/// Counts the work, and returns a refusal above the limit.
pub(super) type Spend<'a> = &'a mut dyn FnMut(usize) -> Result<(), Refusal>;

/// The text that an annotation displays, if any.
pub(super) fn value<S: Source>(
    file: &File<S>,
    annotation: &Dict,
    spend: Spend<'_>,
) -> Result<Option<Value>, Refusal> {
    let subtype = lenient(file.get(annotation, "Subtype"))?;
    let value = if subtype.is_name("Widget") {
        Field::of(file, annotation, spend)?.value(spend)?
    } else if subtype.is_name("FreeText") {
        let text = string(file, &lenient(file.get(annotation, "Contents"))?, spend)?;
        let size = size(lenient(file.get(annotation, "DA"))?.as_string());
        Some(Value { text: text.unwrap_or_default(), size, has_lines: true })
    } else {
        None
    };
    Ok(value.filter(|value| !value.text.trim().is_empty()))
}

/// A field: the dictionary of its widget, then the dictionaries of its parents, nearest first.
struct Field<'a, S> {
    file: &'a File<S>,
    dicts: Vec<Dict>,
}

impl<'a, S: Source> Field<'a, S> {
    fn of(file: &'a File<S>, widget: &Dict, spend: Spend<'_>) -> Result<Self, Refusal> {
        let mut dicts = vec![widget.clone()];
        while let Some(last) = dicts.last()
            && dicts.len() < MAX_PARENTS
            && let Object::Dict(parent) = lenient(file.get(last, "Parent"))?
        {
            spend(1)?;
            dicts.push(parent);
        }
        Ok(Self { file, dicts })
    }

    /// An attribute, which may be inherited.
    fn get(&self, key: &str) -> Result<Object, Refusal> {
        for dict in &self.dicts {
            let value = lenient(self.file.get(dict, key))?;
            if !value.is_null() {
                return Ok(value);
            }
        }
        Ok(Object::Null)
    }

    fn value(&self, spend: Spend<'_>) -> Result<Option<Value>, Refusal> {
        let kind = self.get("FT")?;
        let flags = self.get("Ff")?.as_i64().unwrap_or(0);
        let (is_text, is_choice) = (kind.is_name("Tx"), kind.is_name("Ch"));
        if !(is_text || is_choice) || (is_text && flags & PASSWORD != 0) {
            return Ok(None);
        }
        let value = match self.get("V")? {
            Object::Null => self.get("DV")?,
            value => value,
        };
        let chosen = match &value {
            Object::Array(values) => values.to_vec(),
            other => vec![other.clone()],
        };
        let options = if is_choice { self.get("Opt")? } else { Object::Null };
        let mut texts = Vec::new();
        for value in &chosen {
            if let Some(text) = string(self.file, &lenient(self.file.resolve(value))?, spend)? {
                texts.push(self.shown(&options, text, spend)?);
            }
        }
        let mut size = size(self.get("DA")?.as_string());
        if size.is_none() {
            let root = lenient(self.file.root())?;
            let form = lenient(self.file.get(&root, "AcroForm"))?;
            let form = form.as_dict().cloned().unwrap_or_default();
            size = self::size(lenient(self.file.get(&form, "DA"))?.as_string());
        }
        let has_lines = texts.len() > 1 || (is_text && flags & MULTILINE != 0);
        Ok(Some(Value { text: texts.join("\n"), size, has_lines }))
    }

    /// The displayed text of a choice: the text of an option may differ from its value.
    fn shown(&self, options: &Object, value: String, spend: Spend<'_>) -> Result<String, Refusal> {
        for option in options.as_array().into_iter().flatten() {
            spend(1)?;
            if let Object::Array(pair) = lenient(self.file.resolve(option))?
                && let [export, shown] = &pair[..]
                && string(self.file, &lenient(self.file.resolve(export))?, spend)?.as_ref()
                    == Some(&value)
                && let Some(shown) = string(self.file, &lenient(self.file.resolve(shown))?, spend)?
            {
                return Ok(shown);
            }
        }
        Ok(value)
    }
}

/// A text, from a string or a stream.
fn string<S: Source>(
    file: &File<S>,
    object: &Object,
    spend: Spend<'_>,
) -> Result<Option<String>, Refusal> {
    let string = match object {
        Object::String(string) => string.clone(),
        Object::Stream(stream) => cos::Str::new(lenient(file.stream_data(stream))?),
        _ => return Ok(None),
    };
    spend(1 + string.as_bytes().len() / 64)?;
    Ok(Some(string.text()))
}

/// The font size in a default appearance, such as 12 in `/Helv 12 Tf`.
fn size(appearance: Option<&cos::Str>) -> Option<f64> {
    let appearance = String::from_utf8_lossy(appearance?.as_bytes()).into_owned();
    let words: Vec<&str> = appearance.split_ascii_whitespace().collect();
    let operator = words.iter().rposition(|word| *word == "Tf")?;
    let size: f64 = words.get(operator.checked_sub(1)?)?.parse().ok()?;
    (size.is_finite() && size > 0.0).then_some(size.min(200.0))
}

/// Splits a text into lines of at most `room` characters, unless a word is longer.
pub(super) fn lines(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split(['\n', '\r', '\u{2028}', '\u{2029}']) {
        let (mut line, mut len) = (String::new(), 0);
        for word in paragraph.split_whitespace() {
            let more = word.chars().count();
            if len > 0 && len + 1 + more > room {
                lines.push(std::mem::take(&mut line));
                len = 0;
            }
            if len > 0 {
                line.push(' ');
                len += 1;
            }
            line.push_str(word);
            len += more;
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{lines, size};

    #[test]
    fn lines_end_at_line_breaks_and_at_the_maximum_length() {
        assert_eq!(lines("one two\rthree", 100), ["one two", "three"]);
        assert_eq!(lines("one two three", 7), ["one two", "three"]);
        assert_eq!(lines("wordthatislong x", 4), ["wordthatislong", "x"]);
        assert!(lines(" \n ", 4).is_empty());
    }

    #[test]
    fn sizes_are_read_from_default_appearances() {
        let of = |text: &str| size(Some(&cos::Str::new(text)));
        assert_eq!(of("0 g /Helv 12.5 Tf"), Some(12.5));
        for none in ["/Helv 0 Tf", "Tf", "", "/Helv x Tf", "0 g", "/Helv NaN Tf"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
