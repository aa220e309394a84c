//! Tagged unions: each variant gets a name, and the union says which value of the tag means which variant.
//! Then generators of clients make a type of each variant. Of variants without names, some make nothing.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Discriminator, Ref, Schema};

/// Moves the variants of a tagged union out of it. Gives the union, with references, and its variants by
/// name: the variant `not_pdfa` of `Rejection` is `NotPdfaRejection`. A variant with a title has the title
/// as its name. Fields next to a flattened union are fields of each variant. Any other schema stays as it
/// is.
pub(super) fn named_variants(name: &str, schema: Schema) -> (Schema, Vec<(String, Schema)>) {
    let mut union = match with_fields_inside(schema) {
        Schema::OneOf(union) => union,
        other => return (other, Vec::new()),
    };
    let tags: Option<Vec<_>> = union.items.iter().map(tag).collect();
    let Some(tags) = tags.filter(|tags| tags.iter().all(|tag| tag.0 == tags[0].0)) else {
        return (Schema::OneOf(union), Vec::new());
    };
    let (mut variants, mut mapping) = (Vec::new(), Vec::new());
    for (item, (_, value)) in union.items.iter_mut().zip(&tags) {
        let title = match item {
            RefOr::T(Schema::Object(object)) => object.title.take(),
            _ => None,
        };
        let its_name = title.unwrap_or_else(|| capitalised(value, '_') + name);
        let reference = Ref::from_schema_name(&its_name);
        mapping.push((value.clone(), reference.ref_location.clone()));
        if let RefOr::T(variant) = std::mem::replace(item, reference.into()) {
            variants.push((its_name, variant));
        }
    }
    union.discriminator = Some(Discriminator::with_mapping(&tags[0].0, mapping));
    (Schema::OneOf(union), variants)
}

/// `not_found` as `NotFound`, if `_` separates the words.
pub(super) fn capitalised(words: &str, separator: char) -> String {
    words.split(separator).map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// A flattened union next to fields, as a union whose variants have these fields.
fn with_fields_inside(schema: Schema) -> Schema {
    let Schema::AllOf(all) = &schema else { return schema };
    let (mut union, mut fields) = (None, Vec::new());
    for item in &all.items {
        match item {
            RefOr::T(Schema::OneOf(one)) => union = Some(one.clone()),
            RefOr::T(Schema::Object(object)) => fields.push(object),
            _ => return schema,
        }
    }
    let Some(mut union) = union else { return schema };
    union.description.clone_from(&all.description);
    for item in &mut union.items {
        let RefOr::T(Schema::Object(variant)) = item else { return schema };
        for more in &fields {
            variant.required.extend(more.required.iter().cloned());
            variant.properties.extend(more.properties.clone());
        }
    }
    Schema::OneOf(union)
}

/// The tag of a variant: the field that has only one value, and the value.
fn tag(variant: &RefOr<Schema>) -> Option<(String, String)> {
    match variant {
        RefOr::T(Schema::Object(object)) => object.properties.iter().find_map(|(name, schema)| {
            let RefOr::T(Schema::Object(field)) = schema else { return None };
            match field.enum_values.as_deref()? {
                [Value::String(only)] => Some((name.clone(), only.clone())),
                _ => None,
            }
        }),
        RefOr::T(Schema::AllOf(all)) => all.items.iter().find_map(tag),
        _ => None,
    }
}
