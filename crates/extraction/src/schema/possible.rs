//! Refuses a schema that no value fits, because it would make every document's data invalid.

use serde_json::{Map, Value};

use super::{Kind, Node, SchemaError};

fn impossible(at: &str, keyword: &str, what: String) -> SchemaError {
    SchemaError::Invalid { at: format!("{at}/{keyword}"), what }
}

/// The options of `enum` and `const` without `null`: at least one, each of the right type, and one within the bounds.
pub(super) fn options(
    schema: &Map<String, Value>,
    name: Option<&str>,
    at: &str,
) -> Result<Vec<Value>, SchemaError> {
    let listed = schema.get("enum").and_then(Value::as_array);
    let only = schema.get("const");
    let (keyword, mut options) = match (only, listed) {
        (None, None) => return Ok(Vec::new()),
        (None, Some(listed)) => ("enum", listed.clone()),
        (Some(only), listed) => {
            if listed.is_some_and(|listed| !listed.contains(only)) {
                return Err(impossible(at, "const", "`enum` does not contain this value".into()));
            }
            ("const", vec![only.clone()])
        }
    };
    options.retain(|option| !option.is_null());
    if options.is_empty() {
        return Err(impossible(at, keyword, "there is no option besides `null`".into()));
    }
    let is_of_type = |option: &&Value| match name {
        Some("string") => option.is_string(),
        Some("boolean") => option.is_boolean(),
        Some("number") => option.is_number(),
        Some("integer") => option.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => true,
    };
    if let Some(index) = options.iter().position(|option| !is_of_type(&option)) {
        let name = name.unwrap_or_default();
        return Err(impossible(at, keyword, format!("option {} is not of type {name}", index + 1)));
    }
    Ok(options)
}

/// Checks that an option is within the bounds, and that the bounds permit a value.
pub(super) fn bounds(
    name: Option<&str>,
    options: &[Value],
    bounds: &Map<String, Value>,
    at: &str,
) -> Result<(), SchemaError> {
    ordered(bounds, at, "minLength", "maxLength", false)?;
    for (low, high, is_open) in [
        ("minimum", "maximum", false),
        ("exclusiveMinimum", "maximum", true),
        ("minimum", "exclusiveMaximum", true),
        ("exclusiveMinimum", "exclusiveMaximum", true),
    ] {
        ordered(bounds, at, low, high, is_open)?;
    }
    steps(name, bounds, at)?;
    if options.is_empty() || bounds.is_empty() {
        return Ok(());
    }
    // An invalid pattern is reported later, when the whole schema is compiled.
    let Ok(check) = super::compile(&Value::Object(bounds.clone())) else { return Ok(()) };
    let is_within = options.iter().any(|option| check.is_valid(option));
    is_within.then_some(()).ok_or_else(|| SchemaError::Invalid {
        at: at.to_owned(),
        what: "no option fits the bounds and the pattern".into(),
    })
}

/// Checks that `low` is at most `high`, or below it.
fn ordered(
    schema: &Map<String, Value>,
    at: &str,
    low: &str,
    high: &str,
    is_open: bool,
) -> Result<(), SchemaError> {
    let number = |name: &str| schema.get(name).and_then(Value::as_f64);
    match (number(low), number(high)) {
        (Some(a), Some(b)) if a > b || is_open && a >= b => Err(impossible(
            at,
            low,
            format!("`{low}` is {a} and `{high}` is {b}, so no value fits"),
        )),
        _ => Ok(()),
    }
}

/// Checks that an integer or a multiple of `multipleOf` is between the bounds.
fn steps(name: Option<&str>, bounds: &Map<String, Value>, at: &str) -> Result<(), SchemaError> {
    let number = |name: &str| bounds.get(name).and_then(Value::as_f64);
    let step = match (name, number("multipleOf")) {
        (_, Some(step)) if step <= 0.0 => {
            return Err(impossible(at, "multipleOf", "must be above 0".into()));
        }
        (Some("integer"), step) => step.filter(|step| step.fract() == 0.0).unwrap_or(1.0),
        (Some("number"), Some(step)) => step,
        _ => return Ok(()),
    };
    // The first and last multiples, or the next ones if a bound is exclusive. The tolerance compensates for rounding.
    let slack = 1e-9;
    let low = [
        number("minimum").map(|low| (low / step - slack).ceil()),
        number("exclusiveMinimum").map(|low| (low / step + slack).floor() + 1.0),
    ];
    let high = [
        number("maximum").map(|high| (high / step + slack).floor()),
        number("exclusiveMaximum").map(|high| (high / step - slack).ceil() - 1.0),
    ];
    let low = low.into_iter().flatten().fold(f64::NEG_INFINITY, f64::max);
    let high = high.into_iter().flatten().fold(f64::INFINITY, f64::min);
    if low > high {
        let keyword = if bounds.contains_key("multipleOf") { "multipleOf" } else { "type" };
        let what = format!("no multiple of {step} is between the bounds");
        return Err(impossible(at, keyword, what));
    }
    Ok(())
}

/// Checks that an array can have the required number of items.
pub(super) fn items(
    schema: &Map<String, Value>,
    items: &Node,
    at: &str,
) -> Result<(), SchemaError> {
    ordered(schema, at, "minItems", "maxItems", false)?;
    let is_unique = schema.get("uniqueItems").is_some_and(|value| value == true);
    let (Kind::Scalar(scalar), true) = (&items.kind, is_unique) else { return Ok(()) };
    let different = match scalar.options.len() {
        0 if scalar.is("boolean") => 2,
        0 => return Ok(()),
        options => options,
    };
    let different = different + usize::from(items.nullable);
    match schema.get("minItems").and_then(Value::as_u64) {
        Some(least) if least > different as u64 => {
            let what = format!("there are only {different} different items");
            Err(impossible(at, "minItems", what))
        }
        _ => Ok(()),
    }
}
