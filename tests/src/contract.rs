//! The contract against the endpoints: each request of a test and its response are checked against
//! `openapi.yaml`.
//!
//! The operation must be in the document, with the status, the content type and the headers of the
//! response. The body must be valid, and have no field that the document does not have; so a problem must be
//! of a type that the operation declares for the status. A body with several forms must have the form of the
//! version that the response names. A request that succeeds must be valid too.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, Request, Response};
use axum::{BoxError, Router};
use http_body_util::BodyExt;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use crate::root;

/// Headers that HTTP, API Gateway, the edge or the local AWS add to any response, by the beginnings of their
/// names.
const ANY: [&str; 17] = [
    "cache-control",
    "content-encoding",
    "content-security-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "accept-encoding",
    "access-control-",
    "apigw-requestid",
    "connection",
    "content-length",
    "content-type",
    "date",
    "server",
    "transfer-encoding",
    "vary",
    "x-amz",
];

/// The header of the answer's version.
const VERSION: &str = "arsenal-version";

/// The checked-in document.
pub static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let path = root().join("openapi.yaml");
    Contract::of(&std::fs::read_to_string(path).expect("`make openapi` writes openapi.yaml"))
});

/// A request and its response.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's path.
    pub path: &'a str,
    /// The request's body.
    pub request: &'a [u8],
    /// The response's status.
    pub status: u16,
    /// The response's headers.
    pub headers: &'a HeaderMap,
    /// The response's body.
    pub response: &'a [u8],
}

/// Sends a request to an endpoint's router; checks the response and gives it.
///
/// # Panics
/// When the response is not as the document says.
pub async fn ask<B>(router: &Router, request: Request<B>) -> Response<Body>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError> + std::fmt::Debug,
{
    let (parts, body) = request.into_parts();
    let sent = body.collect().await.unwrap().to_bytes();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let request = Request::from_parts(parts, Body::from(sent.clone()));
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let response = body.collect().await.unwrap().to_bytes();
    CONTRACT.check(&Exchange {
        method: &method,
        path: &path,
        request: &sent,
        status: parts.status.as_u16(),
        headers: &parts.headers,
        response: &response,
    });
    Response::from_parts(parts, Body::from(response))
}

/// An OpenAPI document whose schemas are closed: they refuse fields that they do not declare.
pub struct Contract {
    document: Value,
    components: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// The document, from YAML.
    ///
    /// # Panics
    /// When it is not YAML.
    #[must_use]
    pub fn of(yaml: &str) -> Self {
        let document: Value = yaml_serde::from_str(yaml).unwrap();
        let mut components = json!({"schemas": document["components"]["schemas"]});
        for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
            close(schema, false);
        }
        Self { document, components, validators: Mutex::default() }
    }

    /// All operations.
    pub fn operations(&self) -> impl Iterator<Item = &Value> {
        let paths = self.document["paths"].as_object().unwrap().values();
        paths.flat_map(|methods| methods.as_object().unwrap().values())
    }

    /// Checks an exchange.
    ///
    /// # Panics
    /// When it is not as the document says.
    pub fn check(&self, exchange: &Exchange<'_>) {
        if let Err(error) = self.try_check(exchange) {
            let Exchange { method, path, status, .. } = exchange;
            let [request, response] =
                [exchange.request, exchange.response].map(String::from_utf8_lossy);
            panic!(
                "{method} {path} is not as openapi.yaml says: {error}\nrequest: {request}\n{status}: {response}"
            );
        }
    }

    /// Checks an exchange.
    ///
    /// # Errors
    /// The first difference from the document.
    pub fn try_check(&self, exchange: &Exchange<'_>) -> Result<(), String> {
        let Some(operation) = self.operation(exchange.method, exchange.path) else {
            let is_refused = matches!(exchange.status, 404 | 405);
            return if is_refused { Ok(()) } else { Err("no such operation".to_owned()) };
        };
        let status = exchange.status.to_string();
        let response = self.target(&operation["responses"][&status]);
        if response.is_null() {
            return Err(format!("the status {status} is not declared"));
        }
        check_headers(response, exchange.headers)?;
        let content = response.get("content");
        if exchange.response.is_empty() {
            return content.map_or(Ok(()), |_| Err("the body is missing".to_owned()));
        }
        let kind = exchange.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default();
        let schema = content.and_then(|content| content[kind].get("schema"));
        let schema = schema.ok_or_else(|| format!("the content type {kind:?} is not declared"))?;
        let version = exchange.headers.get(VERSION).and_then(|version| version.to_str().ok());
        let schema = of_version(schema, version, exchange.headers)?;
        let body: Value = serde_json::from_slice(exchange.response).map_err(|e| e.to_string())?;
        self.validate(schema, &body)?;
        if (200..300).contains(&exchange.status) {
            self.check_request(operation, exchange.request)?;
            record(operation, exchange.status, version, &body);
        }
        Ok(())
    }

    /// Checks the body of a webhook, whose `type` names it in the document.
    ///
    /// # Panics
    /// When it is not as the document says.
    pub fn check_webhook(&self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let kind = body["type"].as_str().unwrap();
        let schema = &self.document["webhooks"][kind]["post"]["requestBody"]["content"];
        let schema = &schema["application/json"]["schema"];
        assert!(!schema.is_null(), "openapi.yaml has no webhook {kind}");
        self.validate(schema, &body).unwrap_or_else(|error| panic!("the webhook {body}: {error}"));
    }

    /// A response, or the response that it refers to.
    fn target<'a>(&'a self, response: &'a Value) -> &'a Value {
        let reference = response["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        reference.map_or(response, |path| self.document.pointer(path).unwrap())
    }

    fn check_request(&self, operation: &Value, request: &[u8]) -> Result<(), String> {
        let Some(content) = operation["requestBody"]["content"].as_object() else {
            return Ok(());
        };
        let Some((media_type, Value::Object(content))) = content.iter().next() else {
            return Ok(());
        };
        let Some(schema) = content.get("schema") else { return Ok(()) };
        let mut body: Value = if media_type == "application/x-www-form-urlencoded" {
            form_urlencoded::parse(request).map(|(name, text)| (name, Value::from(text))).collect()
        } else {
            serde_json::from_slice(request).map_err(|e| e.to_string())?
        };
        // In a merge patch, it has a meaning of its own.
        if media_type == "application/json" {
            remove_nulls(&mut body);
        }
        self.validate(schema, &body).map_err(|error| format!("the accepted request: {error}"))
    }

    /// The operation of a method and a path. A path without parameters comes first.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let paths = self.document["paths"].as_object().unwrap();
        let mut found: Vec<_> =
            paths.iter().filter(|(template, _)| is_of(path, template)).collect();
        found.sort_by_key(|(template, _)| template.matches('{').count());
        found.iter().find_map(|(_, methods)| methods.get(method.to_lowercase()))
    }

    /// Checks a value against a schema of the document.
    ///
    /// # Errors
    /// Each violation, with the place of the value.
    ///
    /// # Panics
    /// When it is no schema.
    pub fn validate(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let mut errors = String::new();
        for error in self.validator(schema).iter_errors(value) {
            let _ = write!(errors, "{}: {error}; ", error.instance_path());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let known = validators.entry(schema.to_string()).or_insert_with(|| {
            let mut closed = schema.clone();
            close(&mut closed, true);
            closed["components"] = self.components.clone();
            let options = jsonschema::options().with_draft(Draft::Draft202012);
            Arc::new(options.should_validate_formats(true).build(&closed).unwrap())
        });
        known.clone()
    }
}

/// The form of an answer in a version, if its schema has several. Only former forms say that they end.
fn of_version<'a>(
    schema: &'a Value,
    version: Option<&str>,
    headers: &HeaderMap,
) -> Result<&'a Value, String> {
    let Some(since) = schema["x-versions"].as_array() else { return Ok(schema) };
    let version = version.ok_or("the header Arsenal-Version is missing")?;
    let form = since.iter().position(|since| since.as_str().is_some_and(|since| since <= version));
    let form = form.ok_or_else(|| format!("no form is of the version {version}"))?;
    let links = headers.get_all("link").iter().filter_map(|link| link.to_str().ok());
    let is_linked = links.into_iter().any(|link| link.contains("rel=\"deprecation\""));
    let has = |name| headers.contains_key(name);
    if [has("deprecation"), has("sunset"), is_linked] != [form > 0; 3] {
        return Err(format!("Deprecation, Sunset and Link of the version {version} are wrong"));
    }
    Ok(&schema["oneOf"][form])
}

/// Checks that the headers of a response are declared.
fn check_headers(response: &Value, headers: &HeaderMap) -> Result<(), String> {
    let declared = response["headers"].as_object();
    let is_declared = |name: &str| {
        declared.is_some_and(|headers| headers.keys().any(|known| known.eq_ignore_ascii_case(name)))
    };
    let mut names = headers.keys().map(axum::http::HeaderName::as_str);
    match names.find(|name| !ANY.iter().any(|any| name.starts_with(any)) && !is_declared(name)) {
        Some(name) => Err(format!("the header {name} is not declared")),
        None if is_declared("location") && !headers.contains_key("location") => {
            Err("the header Location is missing".to_owned())
        }
        None => Ok(()),
    }
}

/// Removes members that are `null`. Endpoints take them for absent ones; the document does not promise it.
fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

/// Whether a path has the form of a template: `/v1/orders/{order_id}`.
fn is_of(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) =
        (path.split('/').collect(), template.split('/').collect());
    let fits =
        |(part, name): (&&str, &&str)| part == name || (name.starts_with('{') && !part.is_empty());
    path.len() == template.len() && path.iter().zip(&template).all(fits)
}

/// Makes a schema refuse fields that it does not declare. `is_whole`: the schema describes a whole value, not
/// a part of one.
fn close(schema: &mut Value, is_whole: bool) {
    let Some(schema) = schema.as_object_mut() else { return };
    for (keyword, is_whole) in [("allOf", false), ("oneOf", false), ("anyOf", false)] {
        let members = schema.get_mut(keyword).and_then(Value::as_array_mut);
        members.into_iter().flatten().for_each(|member| close(member, is_whole));
    }
    for keyword in ["items", "additionalProperties"] {
        schema.get_mut(keyword).into_iter().for_each(|member| close(member, true));
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(Map::values_mut).for_each(|member| close(member, true));

    let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.contains_key(*keyword));
    let is_object = schema.get("type").is_none_or(|kind| kind == "object");
    if has(&["properties", "allOf", "oneOf", "anyOf", "$ref"]) {
        if is_whole {
            schema.insert("unevaluatedProperties".to_owned(), json!(false));
        }
    } else if is_object && !has(&["additionalProperties"]) {
        // Any object is allowed here.
        schema.insert("additionalProperties".to_owned(), json!(true));
    }
}

/// Keeps a body as the example of the operation's answer, or of its form in a version, if `RECORD_ANSWERS` is
/// set. The longest is kept, of those that a reader can overlook.
fn record(operation: &Value, status: u16, version: Option<&str>, body: &Value) {
    const LONGEST: usize = 2_000;
    if std::env::var_os("RECORD_ANSWERS").is_none() {
        return;
    }
    let (system, id) =
        (operation["tags"][0].as_str().unwrap(), operation["operationId"].as_str().unwrap());
    let folder = root().join("events").join(system).join("answers");
    let success = format!("/responses/{status}/content/application~1json/schema/x-versions");
    let version = operation.pointer(&success).and(version).map(|version| format!("@{version}"));
    let lambda = &id[system.len() + 1..];
    let file = folder.join(format!("{lambda}{}.json", version.unwrap_or_default()));
    let text = format!("{:#}\n", json!({"status": status, "body": body}));
    let known = std::fs::metadata(&file).map_or(0, |known| known.len());
    if known < text.len() as u64 && (known == 0 || text.len() < LONGEST) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(file, text).unwrap();
    }
}
