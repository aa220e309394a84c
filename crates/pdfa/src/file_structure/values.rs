//! Limits of single values, and the syntax of strings.

use std::fmt::Display;

use cos::{Dict, Name, Object, Str};

use crate::checker::Rule;

/// Receives each rule that fails, and a description.
pub(crate) type Report<'a> = dyn FnMut(Rule, &dyn Display) + 'a;

/// Checks `object` and all values in it. Also used for the operands of content streams.
pub(crate) fn check(object: &Object, part_1: bool, report: &mut Report<'_>) {
    check_one(object, part_1, report);
    match object {
        Object::Array(array) => array.iter().for_each(|value| check(value, part_1, report)),
        Object::Dict(_) | Object::Stream(_) => {
            for (key, value) in object.as_dict().into_iter().flatten() {
                name_length(key, report);
                check(value, part_1, report);
            }
        }
        _ => {}
    }
}

fn check_one(value: &Object, part_1: bool, report: &mut Report<'_>) {
    match value {
        Object::Integer(value) => integer(*value, report),
        Object::Real(value) => real(*value, part_1, report),
        Object::String(value) => string(value, part_1, report),
        Object::Name(name) => name_length(name, report),
        Object::Array(array) => array_size(array.len(), report),
        Object::Dict(_) | Object::Stream(_) => {
            dictionary_size(value.as_dict().map_or(0, Dict::len), report);
        }
        Object::Null | Object::Bool(_) | Object::Ref(_) => {}
    }
}

/// 6.1.12-t01, 6.1.13-t01: integers have 32 bits.
fn integer(value: i64, report: &mut Report<'_>) {
    const RULE: Rule = Rule::all(("6.1.12", 1), ("6.1.13", 1));
    if i32::try_from(value).is_err() {
        report(RULE, &format_args!("integer {value}"));
    }
}

/// 6.1.12-t02: reals are within ±32,767. 6.1.13-t02: within ±3.403E38. 6.1.13-t05: zero, or an
/// absolute value of at least 1.175E−38.
fn real(value: f64, part_1: bool, report: &mut Report<'_>) {
    const RANGE: Rule = Rule::all(("6.1.12", 2), ("6.1.13", 2));
    const TINY: Rule = Rule::later("6.1.13", 5);
    let greatest = if part_1 { 32_767.0 } else { 3.403e38 };
    if value.abs() > greatest {
        report(RANGE, &format_args!("real {value}"));
    }
    if value != 0.0 && value.abs() < 1.175e-38 {
        report(TINY, &format_args!("real {value:e}"));
    }
}

/// 6.1.6-t01: hexadecimal strings have an even number of digits. 6.1.6-t02: they contain only
/// digits and white space. 6.1.12-t03: no string is longer than 65,535 bytes; 6.1.13-t03: 32,767
/// bytes.
fn string(value: &Str, part_1: bool, report: &mut Report<'_>) {
    const EVEN: Rule = Rule::all(("6.1.6", 1), ("6.1.6", 1));
    const DIGITS: Rule = Rule::all(("6.1.6", 2), ("6.1.6", 2));
    const LENGTH: Rule = Rule::all(("6.1.12", 3), ("6.1.13", 3));
    if let Some(hex) = value.hex() {
        if hex.digits % 2 == 1 {
            report(EVEN, &format_args!("a hexadecimal string of {} digits", hex.digits));
        }
        if hex.foreign {
            report(DIGITS, &"a hexadecimal string with other characters than digits");
        }
    }
    let greatest = if part_1 { 65_535 } else { 32_767 };
    let length = value.as_bytes().len();
    if length > greatest {
        report(LENGTH, &format_args!("a string of {length} bytes"));
    }
}

/// 6.1.12-t04, 6.1.13-t04: names have at most 127 bytes.
fn name_length(name: &Name, report: &mut Report<'_>) {
    const RULE: Rule = Rule::all(("6.1.12", 4), ("6.1.13", 4));
    let length = name.as_bytes().len();
    if length > 127 {
        report(RULE, &format_args!("a name of {length} bytes"));
    }
}

/// 6.1.12-t05 (part 1): arrays have at most 8,191 elements.
fn array_size(size: usize, report: &mut Report<'_>) {
    const RULE: Rule = Rule::one("6.1.12", 5);
    if size > 8_191 {
        report(RULE, &format_args!("an array of {size} elements"));
    }
}

/// 6.1.12-t06 (part 1): dictionaries have at most 4,095 entries.
fn dictionary_size(size: usize, report: &mut Report<'_>) {
    const RULE: Rule = Rule::one("6.1.12", 6);
    if size > 4_095 {
        report(RULE, &format_args!("a dictionary of {size} entries"));
    }
}
