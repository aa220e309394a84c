//! 3D annotations: clause 6.1.6.1 of part 4e.

use cos::{Dict, Object, Source};

use super::annotations;
use crate::{
    Level,
    checker::{Checker, Rule},
};

/// 6.1.6.1-t03 (part 4e): the format of a 3D stream (ISO 32000-2, 13.6.3) is U3D or PRC.
pub(super) fn check<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::four("6.1.6.1", 3);
    if checker.flavour.level != Level::E {
        return;
    }
    for (annotation, id) in annotations::all(checker) {
        if !checker.get(&annotation, "Subtype").is_name("3D") {
            continue;
        }
        let Some(artwork) = artwork(checker, &annotation) else { continue };
        let format = checker.get(&artwork, "Subtype");
        if !format.is_name("U3D") && !format.is_name("PRC") {
            checker.broken(RULE, id, format_args!("a 3D stream of the format {format:?}"));
        }
    }
}

/// The dictionary of the annotation's 3D stream. `/3DD` is the stream or a 3D reference dictionary.
fn artwork<S: Source>(checker: &Checker<'_, S>, annotation: &Dict) -> Option<Dict> {
    let artwork = match checker.get(annotation, "3DD") {
        Object::Dict(reference) => checker.get(&reference, "3DD"),
        artwork => artwork,
    };
    artwork.as_stream().map(|stream| stream.dict().clone())
}
