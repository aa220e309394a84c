//! The contract: an endpoint's part of the OpenAPI document, next to its handler.
//!
//! **Guarantees.** The path and the method are written once: [`route`] serves what the document says. What
//! an extractor of the handler needs and refuses is in the document because the handler takes the
//! extractor. A function's program does not have the document: only [`route`] is called there, and the
//! linker drops the rest. Each variant of a tagged enum has a name, so that generated clients have a type of it.
//!
//! ```
//! use axum::Router;
//! use serde::{Deserialize, Serialize};
//! use shared::http::contract::{self, Operation};
//! use shared::http::{Json, StatusCode};
//!
//! pub fn router() -> Router {
//!     contract::route!(handle)
//! }
//!
//! pub fn operation() -> Operation {
//!     contract::operation!(handle).answers::<Greeting>(StatusCode::OK)
//! }
//!
//! /// Whom to greet.
//! #[derive(Deserialize, utoipa::ToSchema)]
//! struct Name {
//!     /// The person's name.
//!     name: String,
//! }
//!
//! /// A greeting.
//! #[derive(Serialize, utoipa::ToSchema)]
//! struct Greeting {
//!     /// The text.
//!     text: String,
//! }
//!
//! /// Greets a person.
//! #[utoipa::path(post, path = "/v1/greetings")]
//! async fn handle(Json(Name { name }): Json<Name>) -> Json<Greeting> {
//!     Json(Greeting { text: format!("Hello, {name}") })
//! }
//!
//! let document = contract::document(vec![operation()], Vec::new());
//! assert!(document.paths.paths.contains_key("/v1/greetings"));
//! ```

mod document;
mod extractors;
mod schemas;
mod unions;
mod versions;
mod webhook;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::ToSchema;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::{HttpMethod, Operation as OpenApiOperation, Parameter, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Content, RefOr, Required, ResponseBuilder};

use self::document::ETAG;
pub use self::document::document;
pub use self::extractors::{Extractor, Inputs};
use self::schemas::Schemas;
pub use self::schemas::described_text;
pub use self::webhook::webhook;
use super::coding::UNSUPPORTED_CODING;
use super::edge::NOT_ACCEPTABLE;
use super::event::INVALID_REQUEST;
use super::json::JSON;
use super::limits::{HEADERS_TOO_LARGE, URL_TOO_LONG};
use super::rate_limit::{Subject, TOO_MANY_REQUESTS, UNAVAILABLE, Unavailable};
use super::version::UNKNOWN_VERSION;
use super::{BODY_TOO_LARGE, StatusCode, UNREADABLE_BODY, UNSUPPORTED_MEDIA_TYPE};
pub use crate::__operation as operation;
pub use crate::__route as route;
pub use crate::__text as text;
use crate::problem::{CONFLICTING_WRITES, INTERNAL, ProblemType};

/// The problems that any request can have, before its handler sees it, and an internal error.
const EVERYWHERE: [ProblemType; 9] = [
    INVALID_REQUEST,
    UNKNOWN_VERSION,
    UNREADABLE_BODY,
    NOT_ACCEPTABLE,
    BODY_TOO_LARGE,
    URL_TOO_LONG,
    UNSUPPORTED_CODING,
    HEADERS_TOO_LARGE,
    INTERNAL,
];

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";
/// The name of the security scheme of access tokens.
const BEARER: &str = "bearer";

/// The router of `handle`, which has the attribute `#[utoipa::path]`.
#[doc(hidden)]
#[macro_export]
macro_rules! __route {
    (handle) => {
        $crate::http::contract::route::<__path_handle, _, _, _>(handle)
    };
}

/// The [`Operation`] of `handle`, which has the attribute `#[utoipa::path]`. The module's path names it:
/// `inventory::api::get_stock` has the operation `inventory-get-stock`, as the Lambda is called.
#[doc(hidden)]
#[macro_export]
macro_rules! __operation {
    (handle) => {
        $crate::http::contract::Operation::of::<__path_handle, _>(module_path!(), &handle)
    };
}

/// Implements `ToSchema` for a type that is a text in JSON: its pattern, an example, and its description.
/// For a type around one `String`, derive it.
#[doc(hidden)]
#[macro_export]
macro_rules! __text {
    ($kind:ty, $pattern:literal, $example:literal, $description:literal) => {
        impl utoipa::PartialSchema for $kind {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::http::contract::described_text($pattern, $example, $description)
            }
        }
        impl utoipa::ToSchema for $kind {}
    };
}

/// The router of a handler, at the path and with the method of its `#[utoipa::path]`.
#[expect(clippy::needless_pass_by_value, reason = "as axum takes handlers")]
pub fn route<P, H, A, S>(handler: H) -> Router<S>
where
    P: utoipa::Path,
    H: Handler<A, S>,
    A: 'static,
    S: Clone + Send + Sync + 'static,
{
    let methods = P::methods().into_iter().map(|method| match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    });
    let served = methods.fold(MethodRouter::new(), |served, on| served.on(on, handler.clone()));
    Router::new().route(&P::path(), served)
}

/// An endpoint's part of the document.
#[derive(Clone)]
#[must_use = "a part of the document"]
pub struct Operation {
    path: String,
    methods: Vec<HttpMethod>,
    openapi: OpenApiOperation,
    schemas: Schemas,
    problems: Vec<ProblemType>,
    /// The errors that are no problems, with their status.
    errors: Vec<(StatusCode, RefOr<Schema>)>,
    /// The headers of answers that are no problems.
    headers: Vec<&'static str>,
}

impl Operation {
    /// The operation of a handler: `P` is its `#[utoipa::path]`, and `module` its module's path.
    pub fn of<P: utoipa::Path, A>(module: &str, handler: &impl Inputs<A>) -> Self {
        let system = module.split("::").next().unwrap_or(module).replace('_', "-");
        let lambda = module.rsplit("::").next().unwrap_or(module).replace('_', "-");
        let mut openapi = P::operation();
        openapi.operation_id = Some(format!("{system}-{lambda}"));
        openapi.tags = Some(vec![system]);
        // Open, until an extractor says otherwise.
        openapi.security = Some(Vec::new());
        let mut operation = Self {
            path: P::path(),
            methods: P::methods(),
            openapi,
            schemas: Schemas::default(),
            problems: EVERYWHERE.to_vec(),
            errors: Vec::new(),
            headers: Vec::new(),
        };
        if operation.methods.contains(&HttpMethod::Get) {
            operation.revalidates();
        } else {
            operation.problems.push(CONFLICTING_WRITES);
        }
        handler.describe(&mut operation);
        operation
    }

    /// The answer of this status has a `T` as JSON.
    pub fn answers<T: ToSchema>(mut self, status: StatusCode) -> Self {
        let content = Content::new(Some(self.schemas.add::<T>()));
        self.answer(status, ResponseBuilder::new().content("application/json", content));
        self
    }

    /// The answer of 200 has a `T` as JSON, which is a page of a list.
    pub fn pages<T: ToSchema>(self) -> Self {
        self.answers::<T>(StatusCode::OK).header("Link")
    }

    /// The answer of this status has no body.
    pub fn answers_nothing(mut self, status: StatusCode) -> Self {
        self.answer(status, ResponseBuilder::new());
        self
    }

    /// Answers that are no problems have this header, one of the document's headers.
    pub fn header(mut self, name: &'static str) -> Self {
        self.headers.push(name);
        self
    }

    /// The answers that it has so far have the value of the parameter `name` of these operations, at `place`: a runtime
    /// expression of OpenAPI, such as `$response.body#/id`.
    pub fn links(mut self, operations: &[&str], name: &str, place: &str) -> Self {
        for response in self.openapi.responses.responses.values_mut() {
            let RefOr::T(response) = response else { continue };
            for id in operations {
                let link = Link::builder().operation_id(*id).parameter(name, place).build();
                response.links.insert((*id).to_owned(), link.into());
            }
        }
        self
    }

    /// It needs this request header.
    pub fn needs(mut self, name: &str, description: &str, example: &str) -> Self {
        let schema = schemas::text(None, None, example);
        self.parameter(name, ParameterIn::Header, true, description, schema);
        self
    }

    /// It takes a `T` as a form, of which each field is a text.
    pub fn take_form<T: ToSchema>(&mut self) {
        let schema = self.schemas.add::<T>();
        self.body_of(FORM, Content::new(Some(schema)));
        self.problems.push(UNSUPPORTED_MEDIA_TYPE);
    }

    /// With these statuses it may answer a `T` as JSON, which is no problem but an error of another standard.
    pub fn fails_with<T: ToSchema>(mut self, statuses: &[StatusCode]) -> Self {
        let schema = self.schemas.add::<T>();
        self.errors.extend(statuses.iter().map(|status| (*status, schema.clone())));
        self
    }

    /// It may answer these problems.
    pub fn refuses(mut self, problems: &[ProblemType]) -> Self {
        self.problems.extend(problems);
        self
    }

    /// Its router is behind [`limited`](super::rate_limit::limited).
    pub fn limited(mut self, subject: Subject, unavailable: Unavailable) -> Self {
        self.headers.extend(["RateLimit", "RateLimit-Policy"]);
        self.problems.push(TOO_MANY_REQUESTS);
        if unavailable == Unavailable::Refuse {
            self.problems.push(UNAVAILABLE);
        }
        let who = match subject {
            Subject::User => "user",
            Subject::SourceIp => "source IP address",
        };
        self.add_to_description(&format!("The number of requests of one {who} is limited."));
        self
    }

    /// It waits as [`Prefer: wait`](super::prefer) asks.
    pub fn waits(mut self) -> Self {
        let longest = super::prefer::MAX_WAIT.as_secs();
        let description = format!(
            "`wait=` and a number of seconds (RFC 7240): the answer comes when the work has ended, or \
             after this time. At most {longest} s. Any other preference is ignored."
        );
        let schema = schemas::text(None, None, "wait=10");
        self.parameter("Prefer", ParameterIn::Header, false, &description, schema);
        self.header("Preference-Applied")
    }

    /// It answers 304 to a request that has the current representation.
    fn revalidates(&mut self) {
        let description = "The `ETag` of an earlier answer. If it is still the current one, the answer is \
                           304 without a body.";
        let schema = schemas::text(None, None, ETAG);
        self.parameter("If-None-Match", ParameterIn::Header, false, description, schema);
        self.answer(StatusCode::NOT_MODIFIED, ResponseBuilder::new());
        self.headers.push("ETag");
    }

    fn answer(&mut self, status: StatusCode, response: ResponseBuilder) {
        let response = response.description(status.canonical_reason().unwrap_or_default());
        let responses = &mut self.openapi.responses.responses;
        responses.insert(status.as_str().to_owned(), response.build().into());
    }

    fn body(&mut self, content: Content) {
        self.body_of(JSON, content);
    }

    fn body_of(&mut self, media_type: &str, content: Content) {
        let body = RequestBodyBuilder::new().content(media_type, content);
        self.openapi.request_body = Some(body.required(Some(Required::True)).build().into());
    }

    fn parameter(
        &mut self,
        name: &str,
        place: ParameterIn,
        is_required: bool,
        description: &str,
        schema: RefOr<Schema>,
    ) {
        let mut parameter = Parameter::new(name);
        parameter.parameter_in = place;
        parameter.required = if is_required { Required::True } else { Required::False };
        parameter.description = Some(description.to_owned()).filter(|text| !text.is_empty());
        parameter.schema = Some(schema);
        self.openapi.parameters.get_or_insert_default().push(parameter.into());
    }

    fn add_to_description(&mut self, text: &str) {
        let description = self.openapi.description.get_or_insert_default();
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(text);
    }
}
