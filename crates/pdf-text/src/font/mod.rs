//! Fonts, as far as text needs them: the codes in a string, and the characters and advance of each
//! code.

mod by_number;
mod composite;
mod names;
mod program;
mod simple;
mod to_unicode;
mod widths;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use cos::{Dict, File, Name, Object, Source};

use crate::limits::Limits;
use crate::refusal::{Refusal, lenient};

/// A font.
pub(crate) enum Font {
    Simple(simple::SimpleFont),
    Composite(Box<composite::CompositeFont>),
}

/// A code of a string.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Code<'a> {
    /// The characters, if they are known.
    pub(crate) text: &'a str,
    pub(crate) certainty: Certainty,
    /// The advance in font sizes: to the right, or up in a vertical font.
    pub(crate) advance: f64,
    /// Whether it is the single byte 32, to which word spacing applies.
    pub(crate) is_space: bool,
}

/// The certainty of the characters of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// The font or a standard defines them.
    Known,
    /// Guessed: most such codes or glyphs have these characters.
    Guessed,
    /// A glyph is drawn, but its characters are unknown.
    Unknown,
}

impl Font {
    fn new<S: Source>(file: &File<S>, dict: &Dict, limits: &Limits) -> Result<Self, Refusal> {
        let is_composite = lenient(file.get(dict, "Subtype"))?.is_name("Type0");
        Ok(if is_composite {
            Self::Composite(Box::new(composite::CompositeFont::new(file, dict, limits)?))
        } else {
            Self::Simple(simple::SimpleFont::new(file, dict, limits)?)
        })
    }

    /// Whether its lines run down the page.
    pub(crate) fn is_vertical(&self) -> bool {
        matches!(self, Self::Composite(font) if font.is_vertical())
    }

    /// Height of an upright glyph in text space units at size 1: 1 for most fonts; Type 3 fonts
    /// have their own units.
    pub(crate) fn height(&self) -> f64 {
        match self {
            Self::Simple(font) => font.height(),
            Self::Composite(_) => 1.0,
        }
    }

    /// Passes the codes of a string to `each`.
    pub(crate) fn decode<S: Source>(
        &self,
        file: &File<S>,
        limits: &Limits,
        string: &[u8],
        mut each: impl FnMut(Code<'_>),
    ) -> Result<(), Refusal> {
        match self {
            Self::Simple(font) => string.iter().for_each(|&byte| each(font.code(byte))),
            Self::Composite(font) => font.decode(file, limits, string, each)?,
        }
        Ok(())
    }

    /// Approximate size in bytes.
    fn bytes(&self) -> usize {
        match self {
            Self::Simple(_) => 4_096,
            Self::Composite(font) => font.bytes(),
        }
    }
}

/// The fonts of a file, with a cache of the last used ones.
#[derive(Default)]
pub(crate) struct Fonts {
    kept: HashMap<u32, Rc<Font>>,
    /// The objects of the cached fonts, the oldest first.
    order: VecDeque<u32>,
    bytes: usize,
}

impl Fonts {
    /// The font in `object`, which is a font dictionary or a reference to one.
    pub(crate) fn get<S: Source>(
        &mut self,
        file: &File<S>,
        object: &Object,
        limits: &Limits,
    ) -> Result<Option<Rc<Font>>, Refusal> {
        let number = object.as_ref().map(|id| id.number);
        if let Some(font) = number.and_then(|number| self.kept.get(&number)) {
            return Ok(Some(font.clone()));
        }
        let Object::Dict(dict) = lenient(file.resolve(object))? else { return Ok(None) };
        let font = Rc::new(Font::new(file, &dict, limits)?);
        if let Some(number) = number {
            self.bytes += font.bytes();
            while self.bytes > limits.font_cache_bytes {
                let Some(oldest) = self.order.pop_front() else { break };
                self.bytes -= self.kept.remove(&oldest).map_or(0, |font| font.bytes());
            }
            self.kept.insert(number, font.clone());
            self.order.push_back(number);
        }
        Ok(Some(font))
    }
}

/// The replacement for a font that is missing in the resources: Helvetica, as in other readers.
pub(crate) fn stand_in<S: Source>(file: &File<S>, limits: &Limits) -> Result<Rc<Font>, Refusal> {
    let entry = |key, value| (Name::new(key), Object::Name(Name::new(value)));
    let entries =
        vec![entry("Type", "Font"), entry("Subtype", "Type1"), entry("BaseFont", "Helvetica")];
    Ok(Rc::new(Font::new(file, &Dict::from(entries), limits)?))
}

/// A number in a dictionary.
fn number<S: Source>(file: &File<S>, dict: &Dict, key: &str) -> Result<Option<f64>, Refusal> {
    Ok(lenient(file.get(dict, key))?.as_f64().filter(|number| number.is_finite()))
}

/// The numbers in an array; other values are skipped.
fn numbers<S: Source>(file: &File<S>, dict: &Dict, key: &str) -> Result<Vec<f64>, Refusal> {
    let Object::Array(array) = lenient(file.get(dict, key))? else { return Ok(Vec::new()) };
    array
        .iter()
        .map(|item| Ok(lenient(file.resolve(item))?.as_f64().filter(|number| number.is_finite())))
        .filter_map(Result::transpose)
        .collect()
}

/// The data of a stream that a font refers to; `None` if it is larger than the limit.
pub(crate) fn stream<S: Source>(
    file: &File<S>,
    object: &Object,
    limits: &Limits,
) -> Result<Option<Vec<u8>>, Refusal> {
    let Object::Stream(stream) = object else { return Ok(None) };
    if stream.raw_len() > limits.font_bytes as u64 {
        return Ok(None);
    }
    let data = lenient(file.stream_data(stream).map(Some))?;
    Ok(data.filter(|data| data.len() <= limits.font_bytes))
}
