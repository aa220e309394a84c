use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation as OpenApiOperation, PathItem};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Content, Header, Info, OpenApi, Paths, Ref, RefOr, Response, ResponseBuilder,
};

use super::schemas::{Schemas, text};
use super::unions::capitalised;
use super::{BEARER, EVERYWHERE, Operation, versions};
use crate::budget::EXCEEDED;
use crate::http::rate_limit::{TOO_MANY_REQUESTS, UNAVAILABLE};
use crate::idempotency::IN_PROGRESS;
use crate::problem::{CONFLICTING_WRITES, INTERNAL, Members, ProblemType, TYPES};

/// The headers of answers: name, description, example.
const HEADERS: [(&str, &str, &str); 15] = [
    (
        "Accept-Patch",
        "The media type of the body that `PATCH` takes.",
        "application/merge-patch+json",
    ),
    (
        VERSION,
        "The version of the answer's form. A replay has that of the first answer.",
        "2026-12-01",
    ),
    ("Cache-Control", "`no-store`: the answer is secret.", "no-store"),
    (
        "Deprecation",
        "Only if the form of the answer ends: `@` and the day, in seconds since 1970, since which clients \
         should not use it (RFC 9745).",
        "@1796083200",
    ),
    (
        "ETag",
        "The tag of this representation, for `If-None-Match`. `If-Match` looks only at the part before the dot, which is all that the answer to an edit has.",
        ETAG,
    ),
    (REPLAYED, "`true` if this is the first answer to the same request.", "true"),
    (
        "Location",
        "The path of what the request has created.",
        "/v1/orders/ord_01M7YRRT800000000000000002",
    ),
    (
        "Link",
        "`rel=\"next\"`: the next page of a list (RFC 8288), relative to the URL of this page; absent on the \
         last. `rel=\"deprecation\"`: the page that says what has changed, if the form of the answer ends.",
        "<?limit=20&cursor=MjA>; rel=\"next\"",
    ),
    ("Preference-Applied", "`wait` if the answer waited as the request prefers.", "wait"),
    (
        "RateLimit",
        "For each limit: the requests that are left, and the seconds after which the limit has all \
         again (draft-ietf-httpapi-ratelimit-headers-10).",
        "\"uploads\";r=99;t=1",
    ),
    (
        "RateLimit-Policy",
        "For each limit: the number of requests in a window, and the seconds of the window.",
        "\"uploads\";q=100;w=60",
    ),
    ("Retry-After", "The seconds after which the same request may succeed.", "1"),
    (
        REQUEST_ID,
        "The id of the request. It is in the log, and in a problem as `request_id`.",
        "JKJaXmPLvHcESHA=",
    ),
    (
        "Sunset",
        "Only if the form of the answer ends: the day until which it is served at least (RFC 8594).",
        "Wed, 01 Dec 2027 00:00:00 GMT",
    ),
    (
        "WWW-Authenticate",
        "`Bearer`: the request needs an access token. `Basic`: it needs the secret of an application.",
        "Bearer",
    ),
];

/// The header of the first answer to the same request.
pub(super) const REPLAYED: &str = "Idempotent-Replayed";

/// An example of a tag.
pub(super) const ETAG: &str = "\"9f86d081884c7d659a2feaa0c55ad015\"";

/// The headers of all answers.
const REQUEST_ID: &str = "X-Request-Id";
const VERSION: &str = versions::HEADER;

/// The name of the schema of an answer of API Gateway.
const GATEWAY_MESSAGE: &str = "GatewayMessage";

/// The OpenAPI document of these operations and [webhooks](super::webhook).
///
/// # Panics
/// When two operations have the same path and method, or two types have the same name.
#[must_use]
pub fn document(operations: Vec<Operation>, webhooks: Vec<Operation>) -> OpenApi {
    let mut schemas = Schemas::default();
    schemas.add::<Members>();
    schemas.insert(GATEWAY_MESSAGE, gateway_message());
    let tags: BTreeSet<_> =
        operations.iter().flat_map(|part| part.openapi.tags.clone().unwrap_or_default()).collect();
    let mut refusals = BTreeMap::new();
    let mut openapi = OpenApi::new(info(), paths(operations, &mut schemas, &mut refusals));
    let webhooks = paths(webhooks, &mut schemas, &mut refusals);
    openapi.webhooks = Some(webhooks).filter(|webhooks| !webhooks.paths.is_empty());

    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    let bearer = bearer.description(Some(
        "The access token of `auth-login`, `auth-login-code`, `auth-refresh` or `auth-token`, or the secret of an API key \
         (`auth-create-api-key`). Each has scopes; an API key never has `account`.",
    ));
    let mut components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(bearer.build()))
        .schemas_from_iter(schemas.into_map())
        .build();
    let headers = HEADERS.iter().map(|header| (header.0.to_owned(), described(header).into()));
    components.headers = headers.collect();
    components.responses = refusals;
    components.parameters = versions::parameters();
    openapi.components = Some(components);
    openapi.tags = Some(tags.into_iter().map(|tag| TagBuilder::new().name(tag).build()).collect());
    openapi
}

fn info() -> Info {
    let mut info = Info::new("Arsenal", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "All endpoints of all systems.\n\n\
         A refusal is a problem of RFC 9457: its `type` is stable, and programs check it. Times are in \
         UTC (RFC 3339). Amounts of money are in minor units of their currency. Lists have pages: \
         `next_cursor` of a page is the `cursor` of the next. A field without a value is absent; in a \
         request it may also be `null` where its type says so. Unknown fields of a request are refused; an \
         answer may get new fields.\n\n\
         The header `Arsenal-Version` names the version of the API, a day, for which a client is written. Only \
         where an answer has several forms is it a parameter; every endpoint takes it, so a client can send it \
         always. Without it, the client gets the oldest version that is served. `/docs/versions.html` has \
         what has changed."
            .to_owned(),
    );
    info
}

/// Responses by name.
type Responses = BTreeMap<String, RefOr<Response>>;

fn paths(operations: Vec<Operation>, schemas: &mut Schemas, refusals: &mut Responses) -> Paths {
    let mut paths = Paths::new();
    for operation in operations {
        let (path, method, openapi) = operation.finished(schemas, refusals);
        let known = paths.get_path_operation(&path, method.clone());
        assert!(known.is_none(), "{path} is in the document twice");
        paths.paths.entry(path).or_default().merge_operations(PathItem::new(method, openapi));
    }
    paths
}

impl Operation {
    /// The operation with its headers and its problems. Its schemas go to `schemas`, and responses with one
    /// problem, which are the same in many operations, to `common`.
    fn finished(
        mut self,
        schemas: &mut Schemas,
        common: &mut Responses,
    ) -> (String, HttpMethod, OpenApiOperation) {
        for response in self.openapi.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                response.headers.extend(self.headers.iter().map(|name| header(name)));
                // The answer to a webhook is its receiver's.
                let is_ours = !self.problems.is_empty();
                let common = [REQUEST_ID, VERSION].map(header);
                response.headers.extend(common.into_iter().filter(|_| is_ours));
            }
        }
        let mut refusals = BTreeMap::<_, Vec<ProblemType>>::new();
        for (status, _) in &self.errors {
            refusals.entry(status.as_u16()).or_default();
        }
        for problem in &self.problems {
            let same = refusals.entry(problem.status.as_u16()).or_default();
            if !same.iter().any(|known| known.slug == problem.slug) {
                same.push(*problem);
            }
            self.schemas.insert(&component(problem), schema(problem));
        }
        let is_open = self.openapi.security.as_ref().is_none_or(Vec::is_empty);
        for (status, mut problems) in refusals {
            problems.sort_by_key(|problem| problem.slug);
            let error = self.errors.iter().find(|(of, _)| of.as_u16() == status);
            let error = error.map(|(_, schema)| schema.clone());
            let mut response = refusal(status, &problems, error.as_ref(), is_open);
            // Some requests are refused before they count.
            let counts =
                error.is_some() || problems.iter().any(|problem| !is_before_limit(problem));
            let limits = self.headers.iter().filter(|name| counts && name.starts_with("RateLimit"));
            response.headers.extend(limits.map(|name| header(name)));
            let is_patch = status == 415 && self.methods.contains(&HttpMethod::Patch);
            response.headers.extend(is_patch.then(|| header("Accept-Patch")));
            // Only refusals that depend on what is stored are saved for retries.
            let is_saved = matches!(status, 404 | 409 | 422);
            let replayed = self.headers.iter().find(|name| is_saved && **name == REPLAYED);
            response.headers.extend(replayed.map(|name| header(name)));
            let response = match &problems[..] {
                [only] if error.is_none() => shared(common, only, response),
                _ => response.into(),
            };
            self.openapi.responses.responses.insert(status.to_string(), response);
        }
        summarize(&mut self.openapi);
        self.schemas.move_to(schemas);
        let method = self.methods.into_iter().next().unwrap_or(HttpMethod::Get);
        (self.path, method, self.openapi)
    }
}

/// Whether a request has this problem before a rate limit is asked: the edge refuses it.
fn is_before_limit(problem: &ProblemType) -> bool {
    *problem != INTERNAL && EVERYWHERE.contains(problem)
}

/// Moves a response to `common`, and gives the reference.
fn shared(common: &mut Responses, problem: &ProblemType, response: Response) -> RefOr<Response> {
    let mut name = component(problem);
    if response.headers.contains_key("RateLimit") {
        name.push_str("AndLimit");
    }
    if response.headers.contains_key("Accept-Patch") {
        name.push_str("OfPatch");
    }
    if response.headers.contains_key(REPLAYED) {
        name.push_str("Replayed");
    }
    let known = common.entry(name.clone()).or_insert_with(|| response.clone().into());
    assert!(*known == RefOr::T(response), "the problem {name} has two responses");
    RefOr::Ref(Ref::new(format!("#/components/responses/{name}")))
}

/// Takes the first sentence of the handler's documentation as the summary, and the rest as the
/// description.
fn summarize(operation: &mut OpenApiOperation) {
    let parts = [operation.summary.take(), operation.description.take()];
    let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let text = parts.join("\n\n");
    let end = [". ", ".\n"].iter().filter_map(|end| text.find(end)).min();
    let (summary, description) = text.split_at(end.unwrap_or(text.len()));
    operation.summary = Some(summary.trim_end_matches('.').replace('\n', " "));
    let description = description.trim_start_matches('.').trim();
    let paragraphs: Vec<_> =
        description.split("\n\n").map(|text| text.replace('\n', " ")).collect();
    operation.description = Some(paragraphs.join("\n\n")).filter(|text| !text.is_empty());
}

/// The response of a status with these problems, and with an error that is none.
fn refusal(
    status: u16,
    problems: &[ProblemType],
    error: Option<&RefOr<Schema>>,
    is_open: bool,
) -> Response {
    // API Gateway, its authorizer, or a function that does not answer.
    let gateway_answers =
        matches!(status, 429 | 500 | 503) || (!is_open && matches!(status, 401 | 403));
    let name = |name: &str| RefOr::from(Ref::from_schema_name(name));
    let mut others: Vec<RefOr<Schema>> = error.cloned().into_iter().collect();
    others.extend(gateway_answers.then(|| name(GATEWAY_MESSAGE)));
    // Their content type is another one. But openapi-python-client takes one schema for a status, that of
    // the first content type, and fails if a body is not valid by it.
    let bodies = problems.iter().map(|problem| name(&component(problem)));
    let schema = one_of(bodies.chain(others.iter().cloned()).collect());
    let titles = problems.iter().map(|problem| format!("`{}`: {}.", problem.slug, problem.title));
    let otherwise = error.map(|_| "Otherwise `error` says what is wrong.".to_owned());
    let mut response =
        ResponseBuilder::new().description(titles.chain(otherwise).collect::<Vec<_>>().join(" "));
    if !problems.is_empty() {
        response = response.content("application/problem+json", Content::new(Some(schema)));
    }
    if !others.is_empty() {
        response = response.content("application/json", Content::new(Some(one_of(others))));
    }
    let mut response = response.build();
    let headers = problems.iter().filter_map(|problem| match *problem {
        CONFLICTING_WRITES | EXCEEDED | IN_PROGRESS | TOO_MANY_REQUESTS | UNAVAILABLE => {
            Some("Retry-After")
        }
        _ => None,
    });
    let headers = headers.chain([REQUEST_ID, VERSION]);
    // An error with this status says how to authenticate, as the problem does.
    let challenge = (status == 401).then_some("WWW-Authenticate");
    response.headers = headers.chain(challenge).map(header).collect();
    response
}

fn one_of(mut schemas: Vec<RefOr<Schema>>) -> RefOr<Schema> {
    if schemas.len() == 1 {
        return schemas.remove(0);
    }
    let any = schemas.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item);
    RefOr::T(Schema::OneOf(any.build()))
}

/// The reference to a header of [`HEADERS`].
fn header(name: &str) -> (String, RefOr<Header>) {
    (name.to_owned(), RefOr::Ref(Ref::new(format!("#/components/headers/{name}"))))
}

fn described((_, description, example): &(&str, &str, &str)) -> Header {
    HeaderBuilder::new()
        .schema(Some(text(None, None, example)))
        .description(Some(*description))
        .build()
}

/// The name of a problem type's schema: `not-found` has `NotFoundProblem`.
fn component(problem: &ProblemType) -> String {
    capitalised(problem.slug, '-') + "Problem"
}

fn schema(problem: &ProblemType) -> Schema {
    let kind = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([format!("{TYPES}{}", problem.slug)]));
    let status = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .enum_values(Some([problem.status.as_u16()]));
    let narrowed = ObjectBuilder::new().property("type", kind).property("status", status);
    let narrowed = narrowed.required("type").required("status");
    let all = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed);
    Schema::AllOf(all.description(Some(format!("The problem `{}`.", problem.slug))).build())
}

fn gateway_message() -> Schema {
    let message = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("What went wrong, in a few words."))
        .examples(["Unauthorized"]);
    let answer = ObjectBuilder::new().property("message", message).required("message");
    let description = "An answer of API Gateway itself: of its authorizer, for too many requests to the \
                       whole API, or for a function that does not answer.";
    Schema::Object(answer.description(Some(description)).build())
}
