//! Names that are shown to people: of fonts and of colourants. The tagging module checks those of
//! structure types.

use cos::{Name, Object, Ref, Source};

use crate::checker::{Checker, Rule};

/// 6.1.8-t01 (parts 2 and 3): names of fonts, and of colourants in Separation and DeviceN spaces,
/// are UTF-8. Checks `object` and all values in it.
pub(super) fn check<S: Source>(checker: &Checker<'_, S>, object: &Object, id: Ref) {
    match object {
        Object::Array(array) => {
            colourants(checker, array, id);
            array.iter().for_each(|value| check(checker, value, id));
        }
        Object::Dict(_) | Object::Stream(_) => {
            for (key, value) in object.as_dict().into_iter().flatten() {
                if *key == "BaseFont" {
                    name(checker, &checker.resolve(value), id);
                }
                check(checker, value, id);
            }
        }
        _ => {}
    }
}

fn colourants<S: Source>(checker: &Checker<'_, S>, array: &[Object], id: Ref) {
    match array {
        [Object::Name(space), colourant, _, _, ..] if *space == "Separation" => {
            name(checker, &checker.resolve(colourant), id);
        }
        [Object::Name(space), colourants, _, _, ..] if *space == "DeviceN" => {
            for colourant in checker.resolve(colourants).as_array().into_iter().flatten() {
                name(checker, &checker.resolve(colourant), id);
            }
        }
        _ => {}
    }
}

fn name<S: Source>(checker: &Checker<'_, S>, value: &Object, id: Ref) {
    const RULE: Rule = Rule::later("6.1.8", 1);
    let is_text = |name: &Name| name.as_str().is_some();
    if let Some(name) = value.as_name().filter(|name| !is_text(name)) {
        checker.broken(RULE, Some(id), format_args!("the name {name:?} is not UTF-8"));
    }
}
