//! The checked-in document is that of the source, and complete.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use contract::breaking::{breaking, says_so};
use jiff::Timestamp;
use serde_json::Value;
use shared::http::contract::{document, operation};
use shared::http::idempotency::Transaction;
use shared::http::version::ApiVersion;
use testing::contract::Contract;

fn checked_in() -> String {
    std::fs::read_to_string(contract::root().join("openapi.yaml")).unwrap()
}

/// Calls `look` with each value of the document and its path.
fn walk(value: &Value, path: &str, look: &mut impl FnMut(&str, &Value)) {
    look(path, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, &format!("{path}/{name}"), look);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, path, look)),
        _ => {}
    }
}

/// With `UPDATE_CONTRACT`, it writes the document: `make openapi`.
#[test]
fn the_checked_in_document_is_that_of_the_source() {
    let document = contract::yaml().unwrap();
    if std::env::var_os("UPDATE_CONTRACT").is_some() {
        std::fs::write(contract::root().join("openapi.yaml"), document).unwrap();
        return;
    }
    assert!(checked_in() == document, "openapi.yaml is old: run `make openapi`");
}

#[test]
fn each_operation_has_a_summary_a_request_and_an_answer_that_are_valid_examples() {
    let contract = Contract::of(&checked_in());
    for operation in contract.operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{id}");
        let mut contents = Vec::new();
        if let Some(content) = operation.pointer("/requestBody/content") {
            contents.push(content);
        }
        let responses = operation["responses"].as_object().unwrap();
        let good = responses.iter().filter(|(status, _)| status.starts_with('2'));
        let mut answers = good.filter_map(|(_, response)| response.get("content")).peekable();
        if answers.peek().is_some() {
            let example = answers.find(|content| {
                let content = &content["application/json"];
                content.get("example").or(content.get("examples")).is_some()
            });
            contents.push(example.unwrap_or_else(|| panic!("{id} has no example of an answer")));
        }
        for content in contents {
            let kinds = [
                "application/json",
                "application/merge-patch+json",
                "application/x-www-form-urlencoded",
            ];
            let content = kinds.iter().find_map(|kind| content.get(kind)).unwrap();
            if let Some(versions) = content["schema"]["x-versions"].as_array() {
                for (version, form) in
                    versions.iter().zip(content["schema"]["oneOf"].as_array().unwrap())
                {
                    let version = version.as_str().unwrap();
                    let example = &content["examples"][version]["value"];
                    contract
                        .validate(form, example)
                        .unwrap_or_else(|e| panic!("{id}, {version}: {e}"));
                }
                continue;
            }
            let example = content.get("example").unwrap_or_else(|| panic!("{id}: no example"));
            contract.validate(&content["schema"], example).unwrap_or_else(|e| panic!("{id}: {e}"));
        }
    }
}

#[test]
fn each_link_leads_to_a_parameter_of_an_operation() {
    let contract = Contract::of(&checked_in());
    let has = |id: &str, name: &str| {
        let mut operations = contract.operations();
        let operation = operations.find(|operation| operation["operationId"] == id);
        let parameters = operation.and_then(|operation| operation["parameters"].as_array());
        parameters.into_iter().flatten().any(|parameter| parameter["name"] == name)
    };
    for operation in contract.operations() {
        let responses = operation["responses"].as_object().unwrap().values();
        let links = responses.filter_map(|response| response["links"].as_object());
        for link in links.flat_map(|links| links.values()) {
            let id = link["operationId"].as_str().unwrap();
            for name in link["parameters"].as_object().unwrap().keys() {
                assert!(has(id, name), "{}: {link}", operation["operationId"]);
            }
        }
    }
}

#[test]
fn the_pattern_of_an_idempotency_key_is_what_the_endpoints_take() {
    // An operation of this test: a repository of one system may have none with a key.
    #[utoipa::path(post, path = "/v1/things")]
    async fn handle(_: Transaction) {}
    let document = document(vec![operation!(handle)], Vec::new());
    let document = serde_json::to_value(document).unwrap();
    let parameters = document["paths"]["/v1/things"]["post"]["parameters"].as_array().unwrap();
    let key = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key").unwrap();
    let contract = Contract::of(&checked_in());
    let longest = "k".repeat(255);
    let quoted = format!("\"{longest}\"");
    for valid in ["8e03", "a b", "a\"b", "\"a,b\"", "\" \"", r#""a\"b\\c""#, &longest, &quoted] {
        contract.validate(&key["schema"], &valid.into()).unwrap_or_else(|e| panic!("{valid}: {e}"));
    }
    let too_long = format!("{longest}k");
    for invalid in ["", " ", "a,b", "\"\"", "\"open", "\"a\"b\"", r#""a\b""#, "clé", &too_long] {
        assert!(contract.validate(&key["schema"], &invalid.into()).is_err(), "{invalid}");
    }
}

#[test]
fn each_type_and_each_field_is_described_for_readers_without_the_source() {
    let document: Value = yaml_serde::from_str(&checked_in()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let is_described = schema.get("description").is_some();
        assert!(is_described || schema.get("allOf").is_some(), "{name} has no description");
    }
    walk(&document, "", &mut |path, value| {
        for host in ["localhost", "127.0.0.1", "1.1.1.1"] {
            assert!(value.as_str().is_none_or(|text| !text.contains(host)), "{path}: {value}");
        }
        let is_described = |schema: &Value| {
            let says = ["description", "$ref", "enum", "oneOf", "allOf"];
            says.iter().any(|word| schema.get(word).is_some())
        };
        let properties = value["properties"].as_object().filter(|_| !path.contains("/example"));
        for (name, schema) in properties.into_iter().flatten() {
            assert!(is_described(schema), "{path}: the field {name} has no description");
        }
        for parameter in value["parameters"].as_array().into_iter().flatten() {
            let is_clear = is_described(parameter) || is_described(&parameter["schema"]);
            assert!(is_clear, "{path}: {parameter} has no description");
        }
        if path.ends_with("/description") || path.ends_with("/summary") {
            let is_plain = value.as_str().is_none_or(|text| !text.contains("[`"));
            assert!(is_plain, "{path} has a link of the source: {value}");
        }
    });
}

/// Generators of clients make no usable type of a variant without a name.
#[test]
fn each_variant_of_a_union_has_a_name() {
    let document: Value = yaml_serde::from_str(&checked_in()).unwrap();
    walk(&document, "", &mut |path, value| {
        for variant in value["oneOf"].as_array().into_iter().flatten() {
            let is_scalar = variant["type"].as_str().is_some_and(|kind| kind != "object");
            let is_named = variant.get("$ref").is_some() || is_scalar;
            assert!(is_named, "{path}: the variant {variant} has no name");
        }
        let mapping = value.pointer("/discriminator/mapping").and_then(Value::as_object);
        for (tag, name) in mapping.into_iter().flatten() {
            let reference = name.as_str().unwrap();
            let variant = document.pointer(reference.trim_start_matches('#'));
            assert!(variant.is_some(), "{path}: {tag} leads to {reference}, which does not exist");
        }
    });
}

/// `make release` writes the released document.
#[test]
fn the_document_breaks_no_client_of_the_last_release() {
    let path = contract::root().join("contract/released.yaml");
    let [released, current] = [std::fs::read_to_string(path).unwrap(), checked_in()]
        .map(|text| yaml_serde::from_str::<Value>(&text).unwrap());
    let today = Timestamp::now().strftime("%F").to_string();
    let found = breaking(&released, &current, &today);
    assert!(
        found.is_empty() || says_so(&released, &current),
        "clients of contract/released.yaml break (CONTRIBUTING.md, Change an endpoint):\n{}",
        found.join("\n")
    );
}

/// The page that answers in a former form name.
#[test]
fn the_page_of_versions_has_each_version_and_each_change() {
    let page = std::fs::read_to_string(contract::root().join("docs/VERSIONS.md")).unwrap();
    let page = page.replace('\n', " ");
    for version in ApiVersion::SERVED {
        let until = version.sunset().map_or("the newest".to_owned(), |day| day.to_string());
        assert!(page.contains(&format!("| `{version}` | {until} |")), "{version}");
    }
    for operation in Contract::of(&checked_in()).operations() {
        let changes =
            operation["description"].as_str().unwrap_or_default().split("**Since version ");
        for change in changes.skip(1) {
            let (version, change) = change.split_once(":** ").unwrap();
            let (what, _) = change.split_once(" Clients of former versions").unwrap();
            let section = page.split(&format!("## {version}")).nth(1).unwrap_or_default();
            let section = section.split("## ").next().unwrap_or_default();
            assert!(section.contains(what), "{version}: {what}");
        }
    }
}
