use serde_json::json;

use super::*;

fn register(schema: &Value) -> Result<Schema, SchemaError> {
    Schema::register("test", 1, &schema.to_string())
}

fn with(property: &Value) -> Result<Schema, SchemaError> {
    register(&json!({"type": "object", "properties": {"a": property}}))
}

#[test]
fn built_in_schemas_can_be_registered() {
    for (id, text) in Schema::built_ins() {
        let schema = Schema::register(id, 1, text).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!((schema.id(), schema.version()), (*id, 1));
        // Providers of the minimal dialect accept 24 optional properties and 16 alternatives.
        let minimal = schema.for_model(Dialect::Minimal);
        let (optional, unions) = count(&minimal);
        assert!(optional <= 24 && unions <= 16, "{id}: {optional} optional, {unions} unions");
        assert!(Schema::built_in(id).is_some());
    }
    assert!(Schema::built_in("letter").is_none());
}

fn count(schema: &Value) -> (usize, usize) {
    let (mut optional, mut unions) = (0, usize::from(schema.get("anyOf").is_some()));
    if let Some(properties) = schema["properties"].as_object() {
        optional += properties.len() - schema["required"].as_array().unwrap().len();
    }
    let children =
        schema["properties"].as_object().into_iter().flat_map(|properties| properties.values());
    for child in
        children.chain(schema.get("items")).chain(schema["anyOf"].as_array().into_iter().flatten())
    {
        let (more_optional, more_unions) = count(child);
        optional += more_optional;
        unions += more_unions;
    }
    (optional, unions)
}

#[test]
fn an_id_has_a_form() {
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
    for id in ["invoice", "a", "my_schema-2", &"x".repeat(64)] {
        assert!(Schema::register(id, 1, schema).is_ok(), "{id}");
    }
    for id in ["", "-a", "A", "a b", "ä", "a/b", &"x".repeat(65)] {
        assert_eq!(Schema::register(id, 1, schema).unwrap_err(), SchemaError::Id, "{id}");
    }
}

#[test]
fn unsupported_keywords_are_refused_by_name() {
    for (property, word) in [
        (json!({"type": "string", "not": {}}), "`not`"),
        (json!({"type": "object", "patternProperties": {}}), "`patternProperties`"),
        (json!({"type": "object"}), "`properties`"),
        (
            json!({"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
            "`additionalProperties`",
        ),
        (json!({"type": "object", "properties": {"b c": {"type": "string"}}}), "name"),
        (
            json!({"type": "object", "properties": {"b": {"type": "string"}}, "required": ["c"]}),
            "`c`",
        ),
        (json!({"type": "array"}), "`items`"),
        (json!({"type": "array", "items": {"type": "string"}, "contains": {}}), "`contains`"),
        (json!({"type": ["string", "integer"]}), "one type"),
        (json!({"type": "null"}), "one type"),
        (json!({}), "`type`"),
        (json!(true), "object"),
        (json!({"enum": [{"a": 1}]}), "scalars"),
        (json!({"anyOf": []}), "alternatives"),
        (json!({"anyOf": [{"type": "null"}]}), "besides"),
        (json!({"anyOf": [{"type": "string"}], "type": "string"}), "`type`"),
        (json!({"$ref": "https://example.com/schema.json"}), "`$ref`"),
        (json!({"$ref": "file:///etc/passwd"}), "`$ref`"),
        (json!({"$ref": "#/properties/a"}), "`$ref`"),
        (json!({"$ref": "#/$defs/missing"}), "`$ref`"),
        (json!({"$dynamicRef": "#a"}), "`type`"),
        (json!({"type": "string", "pattern": "a".repeat(257)}), "pattern"),
    ] {
        match with(&property) {
            Err(SchemaError::Unsupported { what, .. }) => {
                assert!(what.contains(word), "{property}: {what}");
            }
            other => panic!("{property}: {other:?}"),
        }
    }
    let root = register(&json!({"type": "array", "items": {"type": "string"}}));
    assert!(matches!(root, Err(SchemaError::Unsupported { .. })));
    let draft = register(
        &json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"a": {"type": "string"}}}),
    );
    assert!(matches!(draft, Err(SchemaError::Unsupported { .. })));
}

#[test]
fn invalid_json_schemas_are_refused() {
    for property in [
        json!({"type": "string", "minLength": -1}),
        json!({"type": "string", "pattern": "("}),
        json!({"type": "array", "items": {"type": "string"}, "maxItems": "many"}),
        json!({"type": "string", "title": 5}),
        // No look-around and no back-references, because patterns must run in linear time.
        json!({"type": "string", "pattern": "^(?=a)"}),
        json!({"type": "string", "pattern": "(a)\\1"}),
        // And with little memory.
        json!({"type": "string", "pattern": "(\\w{1,1000}){1,1000}"}),
    ] {
        assert!(
            matches!(with(&property), Err(SchemaError::Invalid { .. })),
            "{property}: {:?}",
            with(&property)
        );
    }
    assert!(matches!(Schema::register("a", 1, "{"), Err(SchemaError::Invalid { .. })));
}

#[test]
fn a_schema_that_no_value_fits_is_refused_with_its_place() {
    for (property, keyword) in [
        (json!({"enum": []}), "/enum"),
        (json!({"type": "string", "enum": []}), "/enum"),
        (json!({"type": "string", "enum": [null]}), "/enum"),
        (json!({"type": "string", "enum": ["a", 1]}), "/enum"),
        (json!({"type": "integer", "enum": [1.5]}), "/enum"),
        (json!({"const": null}), "/const"),
        (json!({"type": "string", "const": 1}), "/const"),
        (json!({"enum": ["a", "b"], "const": "c"}), "/const"),
        (json!({"type": "string", "enum": ["a"], "minLength": 2}), ""),
        (json!({"type": "string", "enum": ["a"], "pattern": "^b$"}), ""),
        (json!({"type": "number", "minimum": 2, "maximum": 1}), "/minimum"),
        (json!({"type": "number", "exclusiveMinimum": 1, "maximum": 1}), "/exclusiveMinimum"),
        (json!({"type": "number", "minimum": 1, "exclusiveMaximum": 1}), "/minimum"),
        (
            json!({"type": "number", "exclusiveMinimum": 2, "exclusiveMaximum": 1}),
            "/exclusiveMinimum",
        ),
        (json!({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}), "/type"),
        (json!({"type": "integer", "minimum": 1.2, "maximum": 1.8}), "/type"),
        (json!({"type": "integer", "minimum": 1, "maximum": 4, "multipleOf": 5}), "/multipleOf"),
        (json!({"type": "number", "multipleOf": 0}), "/multipleOf"),
        (json!({"type": "number", "multipleOf": -1}), "/multipleOf"),
        (json!({"type": "string", "minLength": 3, "maxLength": 2}), "/minLength"),
        (json!({"type": "string", "pattern": "("}), "/pattern"),
        (
            json!({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 1}),
            "/minItems",
        ),
        (
            json!({"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": true, "minItems": 3}),
            "/minItems",
        ),
    ] {
        match with(&property) {
            Err(SchemaError::Invalid { at, .. }) => {
                assert_eq!(at, format!("/properties/a{keyword}"), "{property}");
            }
            other => panic!("{property}: {other:?}"),
        }
    }
}

#[test]
fn bounds_that_permit_one_value_are_accepted() {
    for property in [
        json!({"enum": ["a", "b"], "const": "a"}),
        json!({"type": ["string", "null"], "enum": ["a", null]}),
        json!({"type": "integer", "enum": [1.0]}),
        json!({"type": "number", "minimum": 1, "maximum": 1}),
        json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        json!({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2}),
        json!({"type": "number", "minimum": 0.3, "maximum": 0.3, "multipleOf": 0.1}),
        json!({"type": "string", "minLength": 2, "maxLength": 2}),
        json!({"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": true, "minItems": 2}),
    ] {
        assert!(with(&property).is_ok(), "{property}: {:?}", with(&property));
    }
    let one = with(&json!({"enum": ["a", "b"], "const": "a"})).unwrap();
    assert!(one.violations(&json!({"a": "a"})).is_empty());
    assert!(!one.violations(&json!({"a": "b"})).is_empty());
}

#[test]
fn size_depth_and_number_are_bounded() {
    let large = json!({"type": "object", "properties": {"a": {"type": "string", "description": "x".repeat(MAX_BYTES)}}});
    assert_eq!(register(&large).unwrap_err(), SchemaError::TooLarge);

    let mut deep = json!({"type": "string"});
    for _ in 0..=MAX_DEPTH {
        deep = json!({"type": "array", "items": deep});
    }
    assert!(matches!(with(&deep), Err(SchemaError::TooDeep { .. })));
    assert!(Schema::register("a", 1, &"[".repeat(5_000)).is_err());

    let circle = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}});
    assert!(matches!(register(&circle), Err(SchemaError::TooDeep { .. })));

    // Ten properties with ten properties each, four levels deep.
    let ten = |name: &str| -> Value {
        let members: serde_json::Map<_, _> = (0..10)
            .map(|n| (format!("p{n}"), json!({"$ref": format!("#/$defs/{name}")})))
            .collect();
        json!({"type": "object", "properties": members})
    };
    let mut bomb = ten("b");
    bomb["$defs"] = json!({"b": ten("c"), "c": ten("d"), "d": {"type": "string"}});
    assert_eq!(register(&bomb).unwrap_err(), SchemaError::TooMany);

    let patterns: serde_json::Map<_, _> =
        (0..51).map(|n| (format!("p{n}"), json!({"type": "string", "pattern": "^a$"}))).collect();
    assert!(register(&json!({"type": "object", "properties": patterns})).is_err());
}

#[test]
fn each_dialect_has_its_keywords() {
    let schema = register(&json!({
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]{3}$", "maxLength": 3, "description": "a code"},
            "day": {"type": "string", "format": "date"},
            "amount": {"type": "string", "format": "decimal"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "note": {"type": "string", "minLength": 1, "maxLength": 9},
            "items": {"type": "array", "maxItems": 5, "items": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}},
        },
        "required": ["code"],
    }))
    .unwrap();
    assert_eq!(
        schema.for_model(Dialect::Minimal),
        json!({
            "type": "object", "additionalProperties": false, "required": ["code"],
            "properties": {
                "code": {"anyOf": [{"type": "string", "description": "a code"}, {"type": "null"}]},
                "day": {"type": "string", "format": "date"},
                "amount": {"type": "string"},
                "kind": {"type": "string", "enum": ["a", "b"]},
                "note": {"type": "string"},
                "items": {"type": "array", "items": {
                    "type": "object", "additionalProperties": false, "required": ["n"],
                    "properties": {"n": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
                }},
            },
        })
    );
    let full = schema.for_model(Dialect::Full);
    let note = json!({"type": ["string", "null"], "minLength": 1, "maxLength": 9});
    assert_eq!(full["properties"]["note"], note);
    assert!(full["properties"]["code"].get("maxLength").is_none(), "it has a pattern");
    assert_eq!(
        schema.for_model(Dialect::Bounded),
        json!({
            "type": "object", "additionalProperties": false, "required": ["amount", "code", "day", "items", "kind", "note"],
            "properties": {
                "code": {"type": ["string", "null"], "pattern": "^[A-Z]{3}$", "description": "a code"},
                "day": {"type": ["string", "null"], "format": "date"},
                "amount": {"type": ["string", "null"], "pattern": "^-?[0-9]{1,12}([.][0-9]{1,4})?$"},
                "kind": {"type": ["string", "null"], "enum": ["a", "b", null]},
                "note": {"type": ["string", "null"]},
                "items": {"type": "array", "maxItems": 5, "items": {
                    "type": "object", "additionalProperties": false, "required": ["n"],
                    "properties": {"n": {"type": ["integer", "null"], "minimum": 1}},
                }},
            },
        })
    );
}

#[test]
fn a_part_is_checked_with_fewer_rules_than_the_whole() {
    let schema = Schema::built_in("invoice").unwrap();
    let part = json!({"issue_date": "2026-11-21", "lines": [{"description": "paper"}]});
    assert_eq!(schema.violations_of_part(&part), []);
    let missing: Vec<_> =
        schema.violations(&part).into_iter().map(|violation| violation.expected).collect();
    assert_eq!(missing, ["property \"number\"", "property \"supplier\"", "property \"total\""]);

    for (value, pointer, keyword) in [
        (json!({"issue_date": "21.11.2026"}), "/issue_date", "format"),
        (json!({"total": "12,00"}), "/total", "format"),
        (json!({"currency": "Euro"}), "/currency", "pattern"),
        (json!({"lines": [{"amount": "1"}]}), "/lines/0", "required"),
        (json!({"lines": "none"}), "/lines", "type"),
        (json!({"obey": true}), "", "additionalProperties"),
        (json!({"supplier": {"name": "a", "obey": true}}), "/supplier", "additionalProperties"),
    ] {
        let found = schema.violations_of_part(&value);
        assert_eq!(
            (found.len(), &*found[0].pointer, &*found[0].keyword),
            (1, pointer, keyword),
            "{value}"
        );
        assert!(!format!("{found:?}").contains("obey"));
    }
}

#[test]
fn a_tenant_cannot_open_an_object() {
    let schema = register(&json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": true})).unwrap();
    assert_eq!(schema.violations(&json!({"a": "x", "b": 1})).len(), 1);
}

#[test]
fn a_pattern_is_sent_only_if_grammars_support_it() {
    for (pattern, goes) in [
        ("^[A-Z]{3}$", true),
        ("^\\\\d{4}-\\\\d{2}$", true),
        ("^[0-9]+([.][0-9]+)?$", true),
        ("^[^,]+$", false),
        ("^.*$", false),
        ("[A-Z]", false),
        ("^\\\\p{L}+$", false),
        ("^(?:a)$", false),
        ("^é$", false),
    ] {
        let text = format!(
            r#"{{"type":"object","properties":{{"a":{{"type":"string","pattern":"{pattern}"}}}}}}"#
        );
        let schema =
            Schema::register("a", 1, &text).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let written = schema.for_model(Dialect::Bounded);
        assert_eq!(written["properties"]["a"].get("pattern").is_some(), goes, "{pattern}");
    }
}
