//! What a client of a released document may not survive in the current one.
//!
//! **Guarantees.** A client of the released document can use the current one if [`breaking`] finds nothing:
//! each request that it may send is accepted (if no new condition depends on what is stored, such as 428), and each answer that it gets has the fields, the types and the
//! values that it knows. Each version that both documents serve is compared by itself, so a dated change
//! breaks nobody whose version has the former form.
//!
//! New fields of answers, limits and patterns of answers, refusals, descriptions and names of schemas are
//! not compared. CONTRIBUTING.md has the rule.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Headers of the versions, which come and go with the forms: each version is compared by itself.
const OF_VERSIONS: [&str; 4] =
    ["header Arsenal-Version", "Arsenal-Version", "Deprecation", "Sunset"];

/// Deeper places are not compared: a schema that contains itself has been compared before.
const MAX_DEPTH: usize = 24;

/// What breaks clients of `released`, a sentence each, with the operation and the place. `today` is a day
/// such as `2026-12-01`: from its sunset on, a version may go.
#[must_use]
pub fn breaking<'a>(released: &'a Value, current: &'a Value, today: &str) -> Vec<String> {
    let (served, kept) = (versions(released), versions(current));
    let mut found = Vec::new();
    let sunset_in = |document: &'a Value, version: &str| {
        document["components"]["parameters"]["ArsenalVersion"]["schema"]["x-sunsets"][version]
            .as_str()
    };
    for version in &served {
        let sunset = sunset_in(released, version);
        if kept.contains(version) {
            if sunset_in(current, version).is_some_and(|new| sunset.is_some_and(|old| new < old)) {
                found.push(format!("version {version} ends earlier"));
            }
            continue;
        }
        if sunset.is_none_or(|sunset| today < sunset) {
            found.push(format!("version {version} is not served any more, before its sunset"));
        }
    }
    let both = served.iter().filter(|version| kept.contains(version)).map(|version| Some(*version));
    let unnamed = served.is_empty().then_some(None);
    for version in both.chain(unnamed) {
        let [old, new] = [released, current].map(|root| Document { root, version });
        found.extend(Comparison { old, new }.all());
    }
    found
}

/// Whether the version of the current document says that it breaks clients of the released one, by Semantic
/// Versioning: a higher major version, or a higher minor version of 0.
#[must_use]
pub fn says_so(released: &Value, current: &Value) -> bool {
    let numbers = |document: &Value| {
        let mut numbers = document["info"]["version"].as_str().unwrap_or_default().split('.');
        let mut next = || numbers.next().and_then(|it| it.parse::<u64>().ok()).unwrap_or_default();
        (next(), next())
    };
    let ((major, minor), (new_major, new_minor)) = (numbers(released), numbers(current));
    new_major > major || (major == 0 && new_major == 0 && new_minor > minor)
}

/// The versions that a document serves, oldest first. Empty for a document without versions.
fn versions(document: &Value) -> Vec<&str> {
    texts(&document["components"]["parameters"]["ArsenalVersion"]["schema"]["enum"]).collect()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// The client sends it: what was accepted must be accepted.
    Sent,
    /// The client gets it: what is given must be known.
    Given,
}

/// A document as clients of a version see it; without a version, as those see it that name none.
#[derive(Clone, Copy)]
struct Document<'a> {
    root: &'a Value,
    version: Option<&'a str>,
}

impl<'a> Document<'a> {
    /// A part of the document, or what it refers to.
    fn target(&self, part: &'a Value) -> &'a Value {
        let path = part["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
        path.and_then(|path| self.root.pointer(path)).unwrap_or(part)
    }

    /// The alternatives of a schema, each without references, `allOf` and `oneOf`.
    fn forms(&self, schema: &Value) -> Vec<Value> {
        if let Some(path) = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
            let target = self.root.pointer(path);
            return target.map_or_else(|| vec![json!({})], |target| self.forms(target));
        }
        let union = |items: &Value| -> Vec<Value> {
            items.as_array().into_iter().flatten().flat_map(|item| self.forms(item)).collect()
        };
        if let Some(since) = schema["x-versions"].as_array() {
            let is_of = |since: &Value| self.version.is_some_and(|it| since.as_str() <= Some(it));
            let form = since.iter().position(is_of).unwrap_or(since.len() - 1);
            return self.forms(&schema["oneOf"][form]);
        }
        let mut base = schema.clone();
        let parts = ["allOf", "oneOf", "anyOf"].map(|keyword| {
            base.as_object_mut().and_then(|base| base.remove(keyword)).unwrap_or_default()
        });
        let all = parts[0].as_array().into_iter().flatten().map(|item| self.forms(item));
        let any = parts[1..].iter().filter(|items| items.is_array()).map(union);
        all.chain(any).fold(vec![base], |forms, next| {
            forms.iter().flat_map(|form| next.iter().map(|it| merged(form, it))).collect()
        })
    }
}

/// A schema for values that are valid against both.
fn merged(one: &Value, other: &Value) -> Value {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return one.clone() };
    let mut merged = one.clone();
    for (keyword, value) in other {
        match (merged.get_mut(keyword), value) {
            (Some(Value::Array(list)), Value::Array(more)) if keyword == "required" => {
                list.extend(more.iter().cloned());
            }
            (Some(Value::Object(known)), Value::Object(more)) if keyword == "properties" => {
                for (name, schema) in more {
                    let both = known.get(name).map(|known| json!({"allOf": [known, schema]}));
                    known.insert(name.clone(), both.unwrap_or_else(|| schema.clone()));
                }
            }
            (Some(_), _) => {}
            (None, _) => drop(merged.insert(keyword.clone(), value.clone())),
        }
    }
    Value::Object(merged)
}

/// The released document and the current one.
#[derive(Clone, Copy)]
struct Comparison<'a> {
    old: Document<'a>,
    new: Document<'a>,
}

impl<'a> Comparison<'a> {
    fn all(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (section, is_webhook) in [("paths", false), ("webhooks", true)] {
            for (path, methods) in members(&self.old.root[section]) {
                for (method, old) in members(methods) {
                    let new = &self.new.root[section][path][method];
                    let version = self.old.version.map(|it| format!(" in version {it}"));
                    let operation =
                        format!("{} {path}{}", method.to_uppercase(), version.unwrap_or_default());
                    let differences = if new.is_null() {
                        vec!["the operation is removed".to_owned()]
                    } else if is_webhook {
                        self.body(&old["requestBody"], &new["requestBody"], Flow::Given)
                    } else {
                        self.operation(old, new)
                    };
                    found.extend(differences.iter().map(|it| format!("{operation}: {it}")));
                }
            }
        }
        let [old, new] =
            [self.old, self.new].map(|document| &document.root["components"]["schemas"]["Problem"]);
        if !old.is_null() {
            found.extend(self.schema(old, new, Flow::Given, "problem"));
        }
        found
    }

    fn operation(&self, old: &'a Value, new: &'a Value) -> Vec<String> {
        let mut found = Vec::new();
        if old["operationId"] != new["operationId"] {
            found.push(format!("operationId {} is now {}", old["operationId"], new["operationId"]));
        }
        let needed = needs(new);
        let added = needed.difference(&needs(old)).cloned().collect::<Vec<_>>();
        if !added.is_empty() {
            found.push(format!("it needs {} now", added.join(" and ")));
        }
        found.extend(self.parameters(old, new));
        found.extend(self.body(&old["requestBody"], &new["requestBody"], Flow::Sent));
        for (status, old) in members(&old["responses"]) {
            if status.starts_with('2') {
                let answer = self.answer(old, &new["responses"][status]);
                found.extend(answer.iter().map(|it| format!("{status}: {it}")));
            }
        }
        found
    }

    fn parameters(&self, old: &'a Value, new: &'a Value) -> Vec<String> {
        let list = |document: Document<'a>, operation: &'a Value| {
            let all = operation["parameters"].as_array().into_iter().flatten();
            let all = all.map(|it| document.target(it)).map(|it| (name(it), it));
            all.filter(|(name, _)| !OF_VERSIONS.contains(&name.as_str())).collect::<Vec<_>>()
        };
        let (old, new) = (list(self.old, old), list(self.new, new));
        let mut found = Vec::new();
        for (name, old) in &old {
            match new.iter().find(|(known, _)| known == name) {
                Some((_, new)) => {
                    found.extend(self.schema(&old["schema"], &new["schema"], Flow::Sent, name));
                }
                None => found.push(format!("{name}: the parameter is removed")),
            }
        }
        for (name, _) in new.iter().filter(|(_, new)| new["required"] == true) {
            if !old.iter().any(|(known, old)| known == name && old["required"] == true) {
                found.push(format!("{name}: the parameter is required now"));
            }
        }
        found
    }

    fn body(&self, old: &'a Value, new: &'a Value, flow: Flow) -> Vec<String> {
        let mut found = self.content(old, new, flow, "body");
        if flow == Flow::Sent && new["required"] == true && old["required"] != true {
            found.push("body: it is required now".to_owned());
        }
        found
    }

    fn answer(&self, old: &'a Value, new: &'a Value) -> Vec<String> {
        if new.is_null() {
            return vec!["the answer is removed".to_owned()];
        }
        let (old, new) = (self.old.target(old), self.new.target(new));
        let has_forms = old.pointer("/content/application~1json/schema/x-versions").is_some();
        let mut found = self.content(old, new, Flow::Given, "answer");
        let gone = members(&old["headers"])
            .filter(|(name, _)| new["headers"].get(name.as_str()).is_none())
            .filter(|(name, _)| !OF_VERSIONS.contains(&name.as_str()))
            // It leads to the page of versions, if the answer has several forms.
            .filter(|(name, _)| *name != "Link" || !has_forms);
        found.extend(gone.map(|(name, _)| format!("{name}: the header is removed")));
        found
    }

    fn content(&self, old: &Value, new: &Value, flow: Flow, place: &str) -> Vec<String> {
        let kinds = members(&old["content"]);
        let differences = kinds.flat_map(|(kind, old)| match new["content"].get(kind) {
            Some(new) => self.schema(&old["schema"], &new["schema"], flow, place),
            None => vec![format!("{place}: {kind} is removed")],
        });
        differences.collect()
    }

    /// Each alternative that may be sent or given must be one that is known.
    fn schema(&self, old: &Value, new: &Value, flow: Flow, place: &str) -> Vec<String> {
        if place.matches(['.', '[']).count() > MAX_DEPTH {
            return Vec::new();
        }
        let (old, new) = (self.old.forms(old), self.new.forms(new));
        let (from, to) = if flow == Flow::Sent { (&old, &new) } else { (&new, &old) };
        let closest = |form: &Value| {
            let differences = to.iter().map(|known| match flow {
                Flow::Sent => self.form(form, known, flow, place),
                Flow::Given => self.form(known, form, flow, place),
            });
            differences.min_by_key(Vec::len).unwrap_or_default()
        };
        from.iter().flat_map(closest).collect()
    }

    fn form(&self, old: &Value, new: &Value, flow: Flow, place: &str) -> Vec<String> {
        if is_other_type(old, new, flow) {
            return vec![format!("{place}: the type {} is now {}", old["type"], new["type"])];
        }
        let mut found = values(old, new, flow);
        if flow == Flow::Sent {
            found.extend(limits(old, new));
        }
        let mut found: Vec<_> = found.iter().map(|it| format!("{place}: {it}")).collect();
        found.extend(self.fields(old, new, flow, place));
        for (keyword, mark) in [("items", "[]"), ("additionalProperties", ".*")] {
            let (old, new) = (&old[keyword], &new[keyword]);
            if old.is_object() && new.is_object() {
                found.extend(self.schema(old, new, flow, &format!("{place}{mark}")));
            } else if old.is_object() && keyword == "additionalProperties" && *new != true {
                found.push(format!("{place}: it has no other members any more"));
            }
        }
        found
    }

    fn fields(&self, old: &Value, new: &Value, flow: Flow, place: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (name, schema) in members(&old["properties"]) {
            let place = format!("{place}.{name}");
            match new["properties"].get(name) {
                Some(new) => found.extend(self.schema(schema, new, flow, &place)),
                None => found.push(format!("{place}: the field is removed")),
            }
        }
        let is_free = |schema: &Value| schema["type"] == "object" && schema["properties"].is_null();
        if flow == Flow::Sent && is_free(old) && !is_free(new) {
            found.push(format!("{place}: it takes only some fields now"));
        }
        let required = |schema| texts(schema).collect::<BTreeSet<_>>();
        let [old, still] = [old, new].map(|schema| required(&schema["required"]));
        let has = |name: &&&str| new["properties"].get(**name).is_some();
        found.extend(match flow {
            Flow::Sent => lines(still.difference(&old), place, "the field is required now"),
            Flow::Given => lines(old.difference(&still).filter(has), place, "it may be absent now"),
        });
        found
    }
}

fn lines<'a>(names: impl Iterator<Item = &'a &'a str>, place: &str, what: &str) -> Vec<String> {
    names.map(|name| format!("{place}.{name}: {what}")).collect()
}

/// The place and the name of a parameter.
fn name(parameter: &Value) -> String {
    let part = |of: &str| parameter[of].as_str().unwrap_or_default().to_owned();
    format!("{} {}", part("in"), part("name"))
}

/// The security schemes and the scopes that an operation needs.
fn needs(operation: &Value) -> BTreeSet<String> {
    let schemes = operation["security"].as_array().into_iter().flatten().flat_map(members);
    let needs = schemes.flat_map(|(scheme, scopes)| {
        let scopes = texts(scopes).map(|scope| format!("the scope {scope}"));
        scopes.chain([format!("the scheme {scheme}")]).collect::<Vec<_>>()
    });
    needs.collect()
}

/// Whether a value may be of a type that is not known.
fn is_other_type(old: &Value, new: &Value, flow: Flow) -> bool {
    let (from, to) = if flow == Flow::Sent { (old, new) } else { (new, old) };
    let (kinds, known) = (kinds(from), kinds(to));
    let fits =
        |kind: &&str| known.contains(kind) || (*kind == "integer" && known.contains("number"));
    !known.is_empty() && (kinds.is_empty() || !kinds.iter().all(fits))
}

/// Differences of the listed values and the format.
fn values(old: &Value, new: &Value, flow: Flow) -> Vec<String> {
    let (from, to) = if flow == Flow::Sent { (old, new) } else { (new, old) };
    let mut found = Vec::new();
    if let Some(known) = to["enum"].as_array() {
        let odd = from["enum"].as_array().into_iter().flatten().filter(|it| !known.contains(it));
        found.extend(odd.map(|value| match flow {
            Flow::Sent => format!("the value {value} is not taken any more"),
            Flow::Given => format!("it may be {value} now"),
        }));
        if !from["enum"].is_array() {
            found.push("it has other values".to_owned());
        }
    }
    let is_wider = from["format"] == "int32" && to["format"] == "int64";
    if to["format"].is_string() && from["format"] != to["format"] && !is_wider {
        found.push(format!("the format {} is now {}", old["format"], new["format"]));
    }
    found
}

/// The types that a schema names; empty for any.
fn kinds(schema: &Value) -> BTreeSet<&str> {
    texts(&schema["type"]).chain(schema["type"].as_str()).collect()
}

/// Limits and patterns that are new or narrower.
fn limits(old: &Value, new: &Value) -> Vec<String> {
    let Some(new) = new.as_object() else { return Vec::new() };
    let is_narrower = |(keyword, limit): &(&String, &Value)| {
        let known = &old[keyword.as_str()];
        let number = |value: &Value| value.as_f64();
        match keyword.as_str() {
            "pattern" | "multipleOf" | "uniqueItems" => known != *limit,
            "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => {
                number(known).is_none_or(|known| number(limit) > Some(known))
            }
            "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => {
                number(known).is_none_or(|known| number(limit) < Some(known))
            }
            _ => false,
        }
    };
    let found = Map::iter(new).filter(is_narrower);
    found.map(|(keyword, limit)| format!("{keyword} is now {limit}")).collect()
}
