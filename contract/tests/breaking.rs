//! Each change that breaks clients of a document is found and named, and no other.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use contract::breaking::{breaking, says_so};
use serde_json::{Value, json};

const RELEASED: &str = r"
info: {version: 1.4.0}
paths:
  /v1/things/{id}:
    put:
      operationId: things-put
      security: [{bearer: ['things:write']}]
      parameters:
      - {name: id, in: path, required: true, schema: {type: string, pattern: '^t', maxLength: 9}}
      - {name: limit, in: query, required: false, schema: {type: integer, maximum: 100}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/New'}}}
      responses:
        '200':
          headers: {Location: {}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
        '204': {}
        '409': {$ref: '#/components/responses/Taken'}
webhooks:
  thing.put:
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
components:
  responses:
    Taken: {content: {application/problem+json: {schema: {$ref: '#/components/schemas/Problem'}}}}
  schemas:
    Problem: {type: object, required: [type], properties: {type: {type: string}, title: {type: string}}}
    New:
      type: object
      required: [name]
      properties:
        name: {type: string, minLength: 1, pattern: '^[a-z]+$'}
        size: {type: integer, format: int64}
        color: {type: string, enum: [red, green]}
        more: {type: object}
        means:
          oneOf:
          - {type: object, required: [card], properties: {card: {type: string}}}
          - {type: object, required: [iban], properties: {iban: {type: string}}}
    Named: {type: object, required: [name], properties: {name: {type: string, maxLength: 20}}}
    Thing:
      allOf:
      - $ref: '#/components/schemas/Named'
      - type: object
        required: [at, lines]
        properties:
          at: {type: string, format: date-time}
          color: {type: string, enum: [red, green]}
          count: {type: integer, format: int32}
          lines: {type: array, items: {$ref: '#/components/schemas/Named'}}
          by_id: {type: object, additionalProperties: {$ref: '#/components/schemas/Named'}}
          state:
            oneOf:
            - {type: object, required: [kind], properties: {kind: {enum: [open]}}}
            - {type: object, required: [kind, why], properties: {kind: {enum: [shut]}, why: {type: string}}}
";
const PUT: &str = "/paths/~1v1~1things~1{id}/put";
const NEW: &str = "/components/schemas/New";
const THING: &str = "/components/schemas/Thing/allOf/1";

fn released() -> Value {
    yaml_serde::from_str(RELEASED).unwrap()
}

/// The document with another value at a place, which may be new; or without the place.
fn with(mut document: Value, place: &str, value: Option<Value>) -> Value {
    let (parent, name) = place.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("no place {place}"));
    match (parent, value) {
        (Value::Array(list), Some(value)) => list.push(value),
        (Value::Array(list), None) => drop(list.remove(name.parse().unwrap())),
        (Value::Object(members), Some(value)) => drop(members.insert(name.into(), value)),
        (members, _) => drop(members.as_object_mut().unwrap().remove(name)),
    }
    document
}

fn found(place: &str, value: Option<Value>) -> Vec<String> {
    breaking(&released(), &with(released(), place, value), "2026-12-01")
}

/// In how many places the change at `place` is found, and what is found first.
fn found_first(place: &str, value: Option<Value>) -> String {
    found(place, value).into_iter().next().unwrap_or_default()
}

#[test]
fn a_change_of_an_operation_that_breaks_its_clients_is_named() {
    for (place, value, expected) in [
        ("", None, "the operation is removed"),
        (
            "/operationId",
            Some(json!("put-thing")),
            "operationId \"things-put\" is now \"put-thing\"",
        ),
        ("/security/0/bearer", Some(json!(["admin"])), "it needs the scope admin now"),
        ("/parameters/1", None, "query limit: the parameter is removed"),
        ("/parameters/1/required", Some(json!(true)), "query limit: the parameter is required now"),
        (
            "/parameters/2",
            Some(json!({"name": "Key", "in": "header", "required": true})),
            "header Key: the parameter is required now",
        ),
        ("/parameters/1/schema/maximum", Some(json!(50)), "query limit: maximum is now 50"),
        ("/parameters/1/schema/minimum", Some(json!(1)), "query limit: minimum is now 1"),
        ("/parameters/0/schema/pattern", Some(json!("^u")), "path id: pattern is now \"^u\""),
        ("/parameters/0/schema/maxLength", Some(json!(8)), "path id: maxLength is now 8"),
        ("/requestBody/content", Some(json!({})), "body: application/json is removed"),
        ("/responses/204", None, "204: the answer is removed"),
        ("/responses/200/content", Some(json!({})), "200: answer: application/json is removed"),
        ("/responses/200/headers", Some(json!({})), "200: Location: the header is removed"),
    ] {
        let found = found(&format!("{PUT}{place}"), value);
        assert_eq!(found, [format!("PUT /v1/things/{{id}}: {expected}")], "{place}");
    }
    let open = with(released(), &format!("{PUT}/security"), Some(json!([])));
    let both = ["PUT /v1/things/{id}: it needs the scheme bearer and the scope things:write now"];
    assert_eq!(breaking(&open, &released(), ""), both);
    let optional = with(released(), &format!("{PUT}/requestBody/required"), Some(json!(false)));
    let required = ["PUT /v1/things/{id}: body: it is required now"];
    assert_eq!(breaking(&optional, &released(), ""), required);
}

#[test]
fn a_request_that_is_narrower_is_named() {
    for (place, value, expected) in [
        ("/properties/size", None, "body.size: the field is removed"),
        ("/required/1", Some(json!("size")), "body.size: the field is required now"),
        (
            "/properties/more/properties",
            Some(json!({})),
            "body.more: it takes only some fields now",
        ),
        (
            "/properties/size/type",
            Some(json!("string")),
            "body.size: the type \"integer\" is now \"string\"",
        ),
        (
            "/properties/size/format",
            Some(json!("int32")),
            "body.size: the format \"int64\" is now \"int32\"",
        ),
        (
            "/properties/color/enum",
            Some(json!(["red"])),
            "body.color: the value \"green\" is not taken any more",
        ),
        ("/properties/name/enum", Some(json!(["a"])), "body.name: it has other values"),
        ("/properties/name/minLength", Some(json!(2)), "body.name: minLength is now 2"),
        ("/properties/name/maxLength", Some(json!(9)), "body.name: maxLength is now 9"),
        ("/properties/name/pattern", Some(json!("^a$")), "body.name: pattern is now \"^a$\""),
        ("/properties/means/oneOf/1", None, "body.means.iban: the field is removed"),
    ] {
        let found = found_first(&format!("{NEW}{place}"), value);
        assert_eq!(found, format!("PUT /v1/things/{{id}}: {expected}"), "{place}");
    }
}

#[test]
fn an_answer_that_clients_do_not_know_is_named() {
    let shut =
        json!({"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["lost"]}}});
    for (place, value, expected) in [
        ("/properties/count", None, ".count: the field is removed"),
        ("/required/1", None, ".lines: it may be absent now"),
        (
            "/properties/count/type",
            Some(json!(["integer", "null"])),
            ".count: the type \"integer\" is now [\"integer\",\"null\"]",
        ),
        (
            "/properties/count/format",
            Some(json!("int64")),
            ".count: the format \"int32\" is now \"int64\"",
        ),
        ("/properties/at/format", None, ".at: the format \"date-time\" is now null"),
        ("/properties/color/enum/2", Some(json!("blue")), ".color: it may be \"blue\" now"),
        ("/properties/color/enum", None, ".color: it has other values"),
        (
            "/properties/lines/items",
            Some(json!({"type": "string"})),
            ".lines[]: the type \"object\" is now \"string\"",
        ),
        (
            "/properties/by_id/additionalProperties",
            None,
            ".by_id: it has no other members any more",
        ),
        ("/properties/state/oneOf/2", Some(shut), ".state.kind: it may be \"lost\" now"),
    ] {
        let found = found(&format!("{THING}{place}"), value);
        let places = ["PUT /v1/things/{id}: 200: answer", "POST thing.put: body"];
        assert_eq!(found, places.map(|it| format!("{it}{expected}")), "{place}");
    }
    let nested = found("/components/schemas/Named/properties/name", None);
    let own = "PUT /v1/things/{id}: 200: answer.name: the field is removed".to_owned();
    assert!(nested.contains(&own), "{nested:?}");
    let problem = found("/components/schemas/Problem/properties/title", None);
    assert_eq!(problem, ["problem.title: the field is removed"]);
}

#[test]
fn what_clients_can_live_with_is_not_found() {
    let word = Some(json!({"type": "string"}));
    for (place, value) in [
        ("/paths/~1v1~1others", Some(json!({"get": {"operationId": "others-list"}}))),
        ("/paths/~1v1~1things~1{id}/put/summary", Some(json!("Puts a thing"))),
        ("/paths/~1v1~1things~1{id}/put/security/0/bearer", Some(json!([]))),
        (
            "/paths/~1v1~1things~1{id}/put/parameters/2",
            Some(json!({"name": "sort", "in": "query"})),
        ),
        ("/paths/~1v1~1things~1{id}/put/parameters/1/schema/maximum", Some(json!(200))),
        ("/paths/~1v1~1things~1{id}/put/parameters/0/schema/pattern", None),
        ("/paths/~1v1~1things~1{id}/put/requestBody/required", Some(json!(false))),
        ("/paths/~1v1~1things~1{id}/put/responses/202", Some(json!({}))),
        ("/paths/~1v1~1things~1{id}/put/responses/409", None),
        ("/paths/~1v1~1things~1{id}/put/responses/422", Some(json!({}))),
        ("/paths/~1v1~1things~1{id}/put/responses/200/headers/ETag", Some(json!({}))),
        ("/components/schemas/New/properties/note", word.clone()),
        ("/components/schemas/New/required/0", None),
        ("/components/schemas/New/properties/size/type", Some(json!("number"))),
        ("/components/schemas/New/properties/color/enum/2", Some(json!("blue"))),
        ("/components/schemas/New/properties/name/minLength", Some(json!(0))),
        ("/components/schemas/New/properties/means/oneOf/2", Some(json!({"type": "null"}))),
        ("/components/schemas/Thing/allOf/1/properties/note", word.clone()),
        ("/components/schemas/Thing/allOf/1/required/2", Some(json!("color"))),
        ("/components/schemas/Thing/allOf/1/properties/color/enum/0", None),
        ("/components/schemas/Thing/allOf/1/properties/state/oneOf/0", None),
        ("/components/schemas/Named/properties/name/maxLength", Some(json!(30))),
        ("/components/schemas/Problem/properties/hint", word),
        ("/webhooks/thing.gone", Some(json!({"post": {}}))),
    ] {
        assert_eq!(found(place, value), [""; 0], "{place}");
    }
    // Other names of schemas, and a schema that is written in place.
    let text = RELEASED.replace("Thing", "Article").replace(
        "{$ref: '#/components/schemas/New'}",
        "{allOf: [{$ref: '#/components/schemas/New'}]}",
    );
    assert_eq!(breaking(&released(), &yaml_serde::from_str(&text).unwrap(), ""), [""; 0]);
}

/// The document with two versions. In the second, `count` of the answer is called `total`.
fn versioned() -> Value {
    let mut document = released();
    document["components"]["parameters"]["ArsenalVersion"] = json!({
        "name": "Arsenal-Version", "in": "header", "required": false,
        "schema": {
            "enum": ["2026-11-30", "2026-12-01"], "x-sunsets": {"2026-11-30": "2027-12-01"},
        },
    });
    let put = document.pointer_mut(PUT).unwrap();
    let header = json!({"$ref": "#/components/parameters/ArsenalVersion"});
    put["parameters"].as_array_mut().unwrap().push(header);
    put["responses"]["200"]["headers"]["Sunset"] = json!({});
    let mut renamed = document["components"]["schemas"]["Thing"].clone();
    let fields = renamed["allOf"][1]["properties"].as_object_mut().unwrap();
    let count = fields.remove("count").unwrap();
    fields.insert("total".into(), count);
    let former = json!({"$ref": "#/components/schemas/Thing"});
    let schema = format!("{PUT}/responses/200/content/application~1json/schema");
    *document.pointer_mut(&schema).unwrap() =
        json!({"x-versions": ["2026-12-01", "2026-11-30"], "oneOf": [renamed, former]});
    document
}

#[test]
fn a_dated_change_breaks_nobody_and_each_version_keeps_its_form() {
    // A client that names no version gets the former form.
    assert_eq!(breaking(&released(), &versioned(), ""), [""; 0]);
    assert_eq!(breaking(&versioned(), &versioned(), ""), [""; 0]);
    let forms = format!("{PUT}/responses/200/content/application~1json/schema/oneOf");
    for (form, version, field) in [(0, "2026-12-01", "total"), (1, "2026-11-30", "count")] {
        let place =
            if form == 0 { format!("{forms}/0") } else { "/components/schemas/Thing".into() };
        let place = format!("{place}/allOf/1/properties/{field}");
        let found = breaking(&versioned(), &with(versioned(), &place, None), "2026-12-01");
        let expected = format!(
            "PUT /v1/things/{{id}} in version {version}: 200: answer.{field}: the field is removed"
        );
        assert!(found.contains(&expected), "{found:?}");
        assert!(
            !found.iter().any(|it| it.contains("answer") && !it.contains(version)),
            "{found:?}"
        );
    }
}

#[test]
fn a_version_goes_after_its_sunset() {
    let schema = format!("{PUT}/responses/200/content/application~1json/schema");
    let mut newest = versioned();
    let form = newest.pointer(&format!("{schema}/oneOf/0")).cloned();
    *newest.pointer_mut(&schema).unwrap() = form.unwrap();
    for place in [
        "/components/parameters/ArsenalVersion/schema/enum/0",
        &format!("{PUT}/responses/200/headers/Sunset"),
    ] {
        newest = with(newest, place, None);
    }
    let early = ["version 2026-11-30 is not served any more, before its sunset"];
    assert_eq!(breaking(&versioned(), &newest, "2027-11-30"), early);
    assert_eq!(breaking(&versioned(), &newest, "2027-12-01"), [""; 0]);
    let unnamed = with(newest.clone(), &format!("{PUT}/parameters/2"), None);
    assert_eq!(breaking(&versioned(), &unnamed, "2027-12-01"), [""; 0]);
    let none = with(newest, "/components/parameters/ArsenalVersion/schema/enum", Some(json!([])));
    assert_eq!(breaking(&versioned(), &none, "2030-01-01").len(), 1, "the newest has no sunset");
}

#[test]
fn a_sunset_does_not_move_to_an_earlier_day() {
    let place = "/components/parameters/ArsenalVersion/schema/x-sunsets/2026-11-30";
    let earlier = with(versioned(), place, Some(json!("2027-06-01")));
    let found = breaking(&versioned(), &earlier, "2026-12-24");
    assert_eq!(found, ["version 2026-11-30 ends earlier"]);
    let later = with(versioned(), place, Some(json!("2028-06-01")));
    assert_eq!(breaking(&versioned(), &later, "2026-12-24"), [""; 0]);
}

#[test]
fn a_version_of_the_document_says_that_it_breaks() {
    for (old, new, says) in [
        ("1.4.0", "2.0.0", true),
        ("1.4.0", "1.5.0", false),
        ("1.4.0", "1.4.1", false),
        ("0.1.0", "0.2.0", true),
        ("0.1.9", "0.1.10", false),
        ("0.9.0", "1.0.0", true),
        ("2.0.0", "1.9.0", false),
    ] {
        let document = |version| json!({"info": {"version": version}});
        assert_eq!(says_so(&document(old), &document(new)), says, "{old} to {new}");
    }
}
