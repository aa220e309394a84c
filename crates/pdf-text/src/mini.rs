//! Writes a PDF with one font in memory, for a library that needs whole files.
//!
//! All contents were read, decoded and counted against the limits before, so the library gets no
//! more than what is written here.

use std::collections::HashMap;

use cos::{Dict, File, Name, Object, Ref, Source};

use crate::font::stream;
use crate::limits::Limits;
use crate::refusal::{Refusal, lenient};
use crate::write::Writer;

/// Font entries that text does not need, or that are read elsewhere.
const NOT_NEEDED: [&str; 5] = ["CharProcs", "Resources", "Metadata", "StructParents", "ToUnicode"];
/// Maximum number of objects of a font.
const MAX_OBJECTS: usize = 64;

/// The object number of the font.
pub(crate) const FONT: u32 = 3;

/// A file with the font `dict`, and the objects it refers to.
pub(crate) fn font<S: Source>(
    file: &File<S>,
    dict: &Dict,
    limits: &Limits,
) -> Result<Vec<u8>, Refusal> {
    let mut writer = Writer::new();
    let mut refs = Refs::default();
    let dict: Vec<_> = dict
        .iter()
        .filter(|(key, _)| !NOT_NEEDED.iter().any(|other| *key == **other))
        .cloned()
        .collect();
    catalog(&mut writer);
    writer.object(id(FONT), &Object::Dict(dict.into()), &mut |id| refs.of(id));
    let mut written = 0;
    while let Some(&from) = refs.waiting.get(written) {
        written += 1;
        let Some(to) = refs.of(from) else { continue };
        let object = lenient(file.object(from))?;
        if let (Object::Stream(_), Some(dict)) = (&object, object.as_dict()) {
            let data = stream(file, &object, limits)?.unwrap_or_default();
            let fits = writer.len() + data.len() <= 2 * limits.font_bytes;
            let data = if fits { data.as_slice() } else { &[] };
            writer.stream(to, dict, data, false, &mut |id| refs.of(id));
        } else {
            writer.object(to, &object, &mut |id| refs.of(id));
        }
    }
    Ok(writer.finish(&[("Root", id(1))]))
}

/// Writes a catalog without pages.
fn catalog(writer: &mut Writer) {
    let name = |name| Object::Name(Name::new(name));
    let key = |key| Name::new(key);
    let root = vec![(key("Type"), name("Catalog")), (key("Pages"), Object::Ref(id(2)))];
    let pages = vec![
        (key("Type"), name("Pages")),
        (key("Kids"), Object::Array(Vec::new().into())),
        (key("Count"), Object::Integer(0)),
    ];
    writer.object(id(1), &Object::Dict(root.into()), &mut Some);
    writer.object(id(2), &Object::Dict(pages.into()), &mut Some);
}

const fn id(number: u32) -> Ref {
    Ref { number, generation: 0 }
}

/// The referenced objects, with their new numbers.
#[derive(Default)]
struct Refs {
    numbers: HashMap<u32, u32>,
    /// Objects still to be written, in the order of their new numbers.
    waiting: Vec<Ref>,
}

impl Refs {
    fn of(&mut self, from: Ref) -> Option<Ref> {
        if let Some(&number) = self.numbers.get(&from.number) {
            return Some(id(number));
        }
        if self.waiting.len() >= MAX_OBJECTS {
            return None;
        }
        self.waiting.push(from);
        let number = FONT + u32::try_from(self.waiting.len()).ok()?;
        self.numbers.insert(from.number, number);
        Some(id(number))
    }
}
