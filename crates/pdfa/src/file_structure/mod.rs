//! Clause 6.1: the syntax of the file and of its objects.

mod embedded;
mod ends;
pub(crate) mod filters;
mod indirect;
mod names;
pub(crate) mod values;

use cos::{Dict, Entry, Object, Ref, Source};

use crate::checker::{Checker, Rule};

/// Maximum number of indirect objects.
const OBJECTS: usize = 8_388_607;

/// Checks the header, the trailers, the cross-reference, and every indirect object.
pub(crate) fn check<S: Source>(checker: &Checker<'_, S>) {
    ends::check(checker);
    let refs = checker.file.xref().refs();
    number_of_objects(checker, refs.len());
    let mut files = embedded::FileSpecifications::default();
    for id in refs {
        object(checker, id, &mut files);
    }
    files.check(checker);
}

/// 6.1.12-t07, 6.1.13-t07: no more than 8,388,607 indirect objects.
fn number_of_objects<S: Source>(checker: &Checker<'_, S>, count: usize) {
    const RULE: Rule = Rule::all(("6.1.12", 7), ("6.1.13", 7));
    if count > OBJECTS {
        checker.broken(RULE, None, format_args!("{count} indirect objects"));
    }
}

fn object<S: Source>(checker: &Checker<'_, S>, id: Ref, files: &mut embedded::FileSpecifications) {
    let Some(Some(indirect)) = checker.read(checker.file.indirect(id)) else { return };
    if let (Some(Entry::At { offset, .. }), Some(form)) =
        (checker.file.xref().entry(id.number), &indirect.form)
    {
        indirect::check(checker, id, offset, form);
    }
    if let Object::Stream(stream) = &indirect.object {
        indirect::check_stream(checker, stream);
        filters::check(checker, stream);
    }
    values::check(&indirect.object, checker.is_part_1(), &mut |rule, detail| {
        checker.broken(rule, Some(id), detail);
    });
    if !checker.is_part_1() {
        names::check(checker, &indirect.object, id);
    }
    dictionaries(&indirect.object, true, &mut |dict, top| {
        files.note(checker, dict, top.then_some(id));
    });
}

/// Calls `see` with every dictionary in `object`; the flag is `true` for `object` itself.
fn dictionaries(object: &Object, top: bool, see: &mut dyn FnMut(&Dict, bool)) {
    if let Some(dict) = object.as_dict() {
        see(dict, top);
        dict.iter().for_each(|(_, value)| dictionaries(value, false, see));
    } else if let Object::Array(array) = object {
        array.iter().for_each(|value| dictionaries(value, false, see));
    }
}
