//! Schemas: those of the types, as the answers really are.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayItems, Object, ObjectBuilder, OneOf, Ref, Schema,
    SchemaType, Type,
};

use super::unions::named_variants;

/// The named schemas of a part of the document.
#[derive(Clone, Default)]
pub(super) struct Schemas(BTreeMap<String, RefOr<Schema>>);

/// A field of an object, as a parameter.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) is_required: bool,
    pub(super) description: String,
    pub(super) schema: RefOr<Schema>,
}

impl Schemas {
    /// Adds `T` and what it refers to. Gives a reference, or the schema itself if it is no type of ours:
    /// those have a description.
    pub(super) fn add<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        for (name, schema) in schemas {
            self.insert(&name, schema);
        }
        let (name, schema) = (T::name().into_owned(), T::schema());
        let is_ours = match &schema {
            RefOr::T(Schema::Object(object)) => object.description.is_some(),
            RefOr::T(Schema::Array(_)) => false,
            _ => true,
        };
        if !is_ours {
            return schema;
        }
        Ref::from_schema_name(self.insert(&name, schema)).into()
    }

    /// Adds the schema of a merge patch of `T`, and gives a reference: each field may be absent, and one that a `T`
    /// does not need may be `null`.
    pub(super) fn add_patch<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let whole = self.add::<T>();
        self.patch(whole)
    }

    fn patch(&mut self, whole: RefOr<Schema>) -> RefOr<Schema> {
        let reference = match whole {
            RefOr::Ref(reference) => reference,
            RefOr::T(Schema::Object(map)) => return patch_of_map(map).into(),
            RefOr::T(Schema::OneOf(one)) => {
                let mut items: Vec<_> = one.items.into_iter().filter(|it| !is_null(it)).collect();
                return match items.pop() {
                    Some(only) if items.is_empty() => self.patch(only),
                    last => {
                        items.extend(last);
                        Schema::OneOf(OneOf { items, ..OneOf::new() }).into()
                    }
                };
            }
            other @ RefOr::T(_) => return other,
        };
        let whole = RefOr::Ref(reference.clone());
        let name = reference.ref_location.rsplit('/').next().unwrap_or_default().to_owned();
        let Some(RefOr::T(Schema::Object(object))) = self.0.get(&name) else { return whole };
        let mut object = object.clone();
        if object.properties.is_empty() {
            return whole;
        }
        let required = std::mem::take(&mut object.required);
        for (field, schema) in &mut object.properties {
            let patch = self.patch(schema.clone());
            *schema = if required.contains(field) { patch } else { or_null(patch) };
        }
        let description = "Changes: a field that is absent stays as it is, and `null` sets the default of a field.";
        object.description = Some(description.to_owned());
        let name = format!("{}Patch", name.trim_end_matches("Request"));
        Ref::from_schema_name(self.insert(&name, Schema::Object(object))).into()
    }

    /// The fields of `T` as parameters; `T` as a parameter called `only`, if it is no object.
    pub(super) fn fields<T: ToSchema>(&mut self, only: &str) -> Vec<Field> {
        let mut schema = T::schema();
        // A parameter is never `null`, also if unknown ones are refused.
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.additional_properties = None;
        }
        if let RefOr::T(Schema::Object(object)) = clean(schema)
            && !object.properties.is_empty()
        {
            let mut schemas = Vec::new();
            T::schemas(&mut schemas);
            for (name, schema) in schemas {
                self.insert(&name, schema);
            }
            return fields_of(object);
        }
        let (name, description) = (only.to_owned(), String::new());
        vec![Field { name, is_required: true, description, schema: self.add::<T>() }]
    }

    /// Moves all schemas to `others`.
    ///
    /// # Panics
    /// When two types have the same name and are different.
    pub(super) fn move_to(self, others: &mut Self) {
        for (name, schema) in self.0 {
            others.keep(name, schema);
        }
    }

    /// All schemas by name.
    pub(super) fn into_map(self) -> BTreeMap<String, RefOr<Schema>> {
        self.0
    }

    /// Adds a schema, and the variants of a tagged union as schemas of their own. Gives its name in the document.
    pub(super) fn insert(&mut self, name: &str, schema: impl Into<RefOr<Schema>>) -> String {
        let schema = match clean(schema.into()) {
            // Of the generic type `Explained<Rejection>`, the variants are rejections.
            RefOr::T(schema) => {
                let last = name.rsplit('_').next().unwrap_or_default();
                let (schema, variants) = named_variants(last, schema);
                for (name, variant) in variants {
                    self.keep(name, variant.into());
                }
                schema.into()
            }
            reference @ RefOr::Ref(_) => reference,
        };
        let name = joined(name);
        self.keep(name.clone(), schema);
        name
    }

    fn keep(&mut self, name: String, schema: RefOr<Schema>) {
        let other = self.0.get(&name).is_some_and(|known| *known != schema);
        assert!(!other, "two types have the schema {name}; use #[schema(as = …)] on one of them");
        self.0.insert(name, schema);
    }
}

/// A map whose entries can be removed.
fn patch_of_map(mut map: Object) -> Schema {
    map.additional_properties = map.additional_properties.map(|entries| match *entries {
        AdditionalProperties::RefOr(entry) => Box::new(AdditionalProperties::RefOr(or_null(entry))),
        free @ AdditionalProperties::FreeForm(_) => Box::new(free),
    });
    Schema::Object(map)
}

fn or_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(Object { schema_type: SchemaType::Array(kinds), .. })) = &schema
        && kinds.contains(&Type::Null)
    {
        return schema;
    }
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let either = AnyOfBuilder::new().item(schema).item(null);
    Schema::AnyOf(either.description(Some("`null` sets the default.")).build()).into()
}

/// The name of a generic type without its underscore: `DoneScan`, as other types are called.
fn joined(name: &str) -> String {
    name.replace('_', "")
}

/// A text with a pattern and an example.
pub(super) fn text(max: Option<usize>, pattern: Option<&str>, example: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(max);
    text.pattern(pattern).examples([example]).into()
}

/// A text with a pattern, an example and a description.
#[must_use]
pub fn described_text(pattern: &str, example: &str, description: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    text.examples([example]).description(Some(description)).into()
}

fn fields_of(object: Object) -> Vec<Field> {
    let required = object.required;
    let field = |(name, mut schema): (String, RefOr<Schema>)| {
        let description = match &mut schema {
            RefOr::T(Schema::Object(object)) => object.description.take().unwrap_or_default(),
            RefOr::Ref(reference) => std::mem::take(&mut reference.description),
            RefOr::T(_) => String::new(),
        };
        Field { is_required: required.contains(&name), name, description, schema }
    };
    object.properties.into_iter().map(field).collect()
}

/// The schema without `null`, because an answer leaves out a field that has no value, unless the
/// description says when it is `null`; and with short descriptions.
fn clean(schema: RefOr<Schema>) -> RefOr<Schema> {
    clean_field(schema, false)
}

/// As [`clean`]. A request may have `null` for a field that has no value.
fn clean_field(schema: RefOr<Schema>, is_of_request: bool) -> RefOr<Schema> {
    let drop_null = |kind: &mut SchemaType, description: Option<&str>| {
        if !is_of_request {
            drop_null(kind, description);
        }
    };
    let schema = match schema {
        RefOr::T(schema) => schema,
        RefOr::Ref(mut reference) => {
            reference.description = reference.description.replace('\n', " ");
            reference.ref_location = joined(&reference.ref_location);
            return reference.into();
        }
    };
    RefOr::T(match schema {
        Schema::Object(mut object) => {
            drop_null(&mut object.schema_type, object.description.as_deref());
            Schema::Object(clean_object(object))
        }
        Schema::Array(mut array) => {
            shorten(&mut array.description);
            drop_null(&mut array.schema_type, array.description.as_deref());
            if let ArrayItems::RefOrSchema(items) = array.items {
                array.items = ArrayItems::RefOrSchema(Box::new(clean(*items)));
            }
            Schema::Array(array)
        }
        Schema::OneOf(one) => return clean_one_of(one, is_of_request),
        Schema::AllOf(mut all) => {
            shorten(&mut all.description);
            all.items = all.items.into_iter().map(clean).collect();
            Schema::AllOf(all)
        }
        other => other,
    })
}

fn clean_object(mut object: Object) -> Object {
    shorten(&mut object.description);
    // Only requests refuse unknown fields.
    let closed = AdditionalProperties::FreeForm(false);
    let is_request = object.additional_properties.as_deref() == Some(&closed);
    let properties = std::mem::take(&mut object.properties).into_iter();
    let properties = properties.map(|(name, schema)| (name, clean_field(schema, is_request)));
    object.properties = properties.collect();
    object.additional_properties = object.additional_properties.map(|more| match *more {
        AdditionalProperties::RefOr(schema) => Box::new(AdditionalProperties::RefOr(clean(schema))),
        free @ AdditionalProperties::FreeForm(_) => Box::new(free),
    });
    object
}

fn clean_one_of(mut one: OneOf, is_of_request: bool) -> RefOr<Schema> {
    if one.items.iter().any(is_null) {
        // The description of the field stands beside its type.
        for item in &mut one.items {
            if let RefOr::Ref(kind) = item {
                one.description = Some(std::mem::take(&mut kind.description));
            }
        }
    }
    shorten(&mut one.description);
    if !is_of_request && !may_be_null(one.description.as_deref()) {
        one.items.retain(|item| !is_null(item));
    }
    one.items = one.items.into_iter().map(clean).collect();
    if one.items.len() > 1 {
        return Schema::OneOf(one).into();
    }
    let mut only = one.items.remove(0);
    if let (RefOr::Ref(only), Some(description)) = (&mut only, one.description) {
        only.description = description;
    }
    only
}

/// Keeps the first paragraph of a type's documentation: the others are for readers of the source.
fn shorten(description: &mut Option<String>) {
    if let Some(text) = description {
        *text = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    }
}

fn drop_null(kind: &mut SchemaType, description: Option<&str>) {
    let SchemaType::Array(kinds) = kind else { return };
    if !may_be_null(description) {
        kinds.retain(|kind| *kind != Type::Null);
    }
    if let [only] = kinds.as_slice() {
        *kind = SchemaType::Type(only.clone());
    }
}

fn may_be_null(description: Option<&str>) -> bool {
    description.is_some_and(|text| text.contains("`null`"))
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    let RefOr::T(Schema::Object(object)) = schema else { return false };
    object.schema_type == SchemaType::Type(Type::Null)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// Something.
    #[derive(Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only described")]
    struct Asked {
        /// A number.
        number: Option<u32>,
        /// Another.
        other: Option<Answered>,
    }

    /// Something.
    #[derive(Deserialize, ToSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Answered {
        /// A number.
        number: Option<u32>,
    }

    #[test]
    fn only_a_request_has_null_for_a_field_without_a_value() {
        let mut schemas = Schemas::default();
        schemas.add::<Asked>();
        let schemas = serde_json::to_value(schemas.0).unwrap();
        assert_eq!(schemas["Answered"]["properties"]["number"]["type"], "integer");
        let asked = &schemas["Asked"]["properties"];
        assert_eq!(asked["number"]["type"], serde_json::json!(["integer", "null"]));
        let other = asked["other"]["oneOf"].as_array().unwrap();
        assert!(other.iter().any(|kind| kind["type"] == "null"), "{asked}");
        let parameters = Schemas::default().fields::<Asked>("");
        let number = serde_json::to_value(&parameters[0].schema).unwrap();
        assert_eq!((&*parameters[0].name, &number["type"]), ("number", &"integer".into()));
    }
}
