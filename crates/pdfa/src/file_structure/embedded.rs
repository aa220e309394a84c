//! File specifications and the files they embed.

use std::collections::HashSet;

use cos::{Dict, File, Object, Ref, Source, Stream};

use crate::{
    Flavour,
    checker::{Checker, Rule},
    flavour::{Level, Part},
};

/// Maximum depth of embedded files that are validated.
const DEPTH: usize = 2;

/// The file specification dictionaries with an `/EF`, and the files that an `/AF` refers to.
#[derive(Default)]
pub(super) struct FileSpecifications {
    found: Vec<(Dict, Option<Ref>)>,
    associated: HashSet<u32>,
}

impl FileSpecifications {
    /// Records `dict` if it is a file specification with embedded files, and the files in its
    /// `/AF`. `id` is its reference if it is an indirect object.
    pub(super) fn note<S: Source>(
        &mut self,
        checker: &Checker<'_, S>,
        dict: &Dict,
        id: Option<Ref>,
    ) {
        if let Some(files) = dict.get("AF") {
            if let Some(id) = files.as_ref() {
                self.associated.insert(id.number);
            }
            if let Object::Array(files) = checker.resolve(files) {
                self.associated.extend(files.iter().filter_map(|file| Some(file.as_ref()?.number)));
            }
        }
        if is_file_specification(checker, dict) {
            self.found.push((dict.clone(), id));
        }
    }

    pub(super) fn check<S: Source>(&self, checker: &Checker<'_, S>) {
        let mut seen = HashSet::new();
        for (dict, id) in &self.found {
            no_embedded_files(checker, *id);
            names(checker, dict, *id);
            relationship(checker, dict, *id);
            self.association(checker, *id);
            for stream in embedded_streams(checker, dict) {
                if seen.insert(stream.id()) {
                    media_type(checker, &stream);
                    conforming(checker, &stream);
                }
            }
        }
    }

    /// 6.8-t04 (part 3): an embedded file is associated with the document or a part of it.
    fn association<S: Source>(&self, checker: &Checker<'_, S>, id: Option<Ref>) {
        if checker.flavour.part == Part::Three
            && id.is_some_and(|id| !self.associated.contains(&id.number))
        {
            checker.fail("6.8", 4, id, "an embedded file without a reference in any /AF");
        }
    }
}

fn is_file_specification<S: Source>(checker: &Checker<'_, S>, dict: &Dict) -> bool {
    let Some(Object::Dict(_)) = dict.get("EF").map(|files| checker.resolve(files)) else {
        return false;
    };
    let kind = checker.get(dict, "Type");
    kind.is_name("Filespec")
        || kind.is_name("F")
        || kind.is_null()
        || dict.contains("F")
        || dict.contains("UF")
}

fn embedded_streams<S: Source>(checker: &Checker<'_, S>, dict: &Dict) -> Vec<Stream> {
    let Some(files) = checker.dict(dict, "EF") else { return Vec::new() };
    let stream = |(_, file): &(cos::Name, Object)| checker.resolve(file).as_stream().cloned();
    files.iter().filter_map(stream).collect()
}

/// 6.1.11-t01 (part 1): no file specification has `/EF`.
fn no_embedded_files<S: Source>(checker: &Checker<'_, S>, id: Option<Ref>) {
    const RULE: Rule = Rule::one("6.1.11", 1);
    checker.broken(RULE, id, "a file specification with /EF");
}

/// 6.8-t02, 6.9-t02 (part 4): the file specification of an embedded file has `/F` and `/UF`.
fn names<S: Source>(checker: &Checker<'_, S>, dict: &Dict, id: Option<Ref>) {
    const RULE: Rule = Rule::later("6.8", 2);
    for key in ["F", "UF"] {
        if checker.get(dict, key).as_string().is_none() {
            checker.broken(
                RULE,
                id,
                format_args!("the file specification of an embedded file has no /{key}"),
            );
        }
    }
}

/// 6.8-t03 (part 3), 6.9-t04 (part 4): the file specification of an embedded file has
/// `/AFRelationship`.
fn relationship<S: Source>(checker: &Checker<'_, S>, dict: &Dict, id: Option<Ref>) {
    const RULE: Rule = Rule::later("6.8", 3);
    if checker.flavour.part != Part::Two && checker.get(dict, "AFRelationship").as_name().is_none()
    {
        checker.broken(
            RULE,
            id,
            "the file specification of an embedded file has no /AFRelationship",
        );
    }
}

/// 6.8-t01 (part 3), 6.9-t01 (part 4): an embedded file declares its MIME type.
fn media_type<S: Source>(checker: &Checker<'_, S>, stream: &Stream) {
    const RULE: Rule = Rule::later("6.8", 1);
    if checker.flavour.part == Part::Two {
        return;
    }
    let subtype = checker.get(stream.dict(), "Subtype");
    let word = |word: &str| {
        !word.is_empty()
            && word.chars().all(|char| char.is_ascii_alphanumeric() || "-_+.".contains(char))
    };
    let valid = subtype
        .as_name()
        .and_then(|name| name.as_str())
        .and_then(|name| name.split_once('/'))
        .is_some_and(|(kind, rest)| word(kind) && word(rest));
    if !valid {
        checker.broken(RULE, Some(stream.id()), format_args!("MIME type {subtype:?}"));
    }
}

/// 6.8-t05 (part 2): an embedded file conforms to PDF/A-1 or PDF/A-2. 6.9-t03 (part 4, but not 4e
/// and 4f): it conforms to PDF/A-1, PDF/A-2 or PDF/A-4.
fn conforming<S: Source>(checker: &Checker<'_, S>, stream: &Stream) {
    const RULE: Rule = Rule::later("6.8", 5);
    let (parts, detail): (&[Part], _) = match (checker.flavour.part, checker.flavour.level) {
        (Part::Two, _) => {
            (&[Part::One, Part::Two], "an embedded file that is neither PDF/A-1 nor PDF/A-2")
        }
        (Part::Four, Level::Unnamed) => (
            &[Part::One, Part::Two, Part::Four],
            "an embedded file that is neither PDF/A-1 nor PDF/A-2 nor PDF/A-4",
        ),
        _ => return,
    };
    let id = Some(stream.id());
    if checker.depth >= DEPTH {
        checker.broken(RULE, id, "files are embedded deeper than this validator checks");
        return;
    }
    let Some(bytes) = checker.data(stream) else { return };
    let conforms = File::open(bytes, *checker.file.limits()).ok().is_some_and(|file| {
        Flavour::detect(&file).filter(|flavour| parts.contains(&flavour.part)).is_some_and(
            |flavour| {
                crate::validate_at(&file, flavour, checker.depth + 1)
                    .is_ok_and(|report| report.conforming)
            },
        )
    });
    if !conforms {
        checker.broken(RULE, id, detail);
    }
}
