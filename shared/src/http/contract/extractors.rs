use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use lambda_http::http::HeaderMap;
use utoipa::ToSchema;
use utoipa::openapi::Content;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;

use super::document::{ETAG, REPLAYED};
use super::{BEARER, Operation, schemas};
use crate::http::idempotency::{KEY_INVALID, KEY_MISSING, MAX_KEY_LENGTH, Transaction};
use crate::http::merge_patch::MERGE_PATCH;
use crate::http::version::ApiVersion;
use crate::http::{
    Allowed, INVALID_BODY, INVALID_JSON, INVALID_PARAMETER, Json, MergePatch, PRECONDITION_FAILED,
    PRECONDITION_REQUIRED, Path, Precondition, Query, SignedIn, UNSUPPORTED_MEDIA_TYPE,
};
use crate::idempotency::{IN_PROGRESS, KEY_REUSED};
use crate::problem::{FORBIDDEN, UNAUTHENTICATED};
use crate::scopes::Scope;

/// The value of a header with tags: `*`, or tags in double quotes. Ours have no comma.
const TAGS: &str = r#"^(\*|(W/)?"[!#-+.-~-]*"(, ?(W/)?"[!#-+.-~-]*")*)$"#;

/// What an extractor takes from a request, and what it refuses.
pub trait Extractor {
    /// Adds it to the operation.
    fn describe(operation: &mut Operation);
}

/// The arguments of a handler: a function of up to eight extractors.
pub trait Inputs<A> {
    /// Adds what the extractors take and refuse to the operation.
    fn describe(&self, operation: &mut Operation);
}

macro_rules! inputs {
    ($($extractor:ident),*) => {
        impl<F, R, $($extractor: Extractor),*> Inputs<($($extractor,)*)> for F
        where
            F: Fn($($extractor),*) -> R,
        {
            fn describe(&self, operation: &mut Operation) {
                $($extractor::describe(operation);)*
            }
        }
    };
}
inputs!(A);
inputs!(A, B);
inputs!(A, B, C);
inputs!(A, B, C, D);
inputs!(A, B, C, D, E);
inputs!(A, B, C, D, E, G);
inputs!(A, B, C, D, E, G, H);
inputs!(A, B, C, D, E, G, H, I);

/// Nothing of the request.
impl<S> Extractor for State<S> {
    fn describe(_: &mut Operation) {}
}

/// Nothing of the request.
impl<T> Extractor for Extension<T> {
    fn describe(_: &mut Operation) {}
}

/// [`Operation::waits`] describes the header that a handler reads.
impl Extractor for HeaderMap {
    fn describe(_: &mut Operation) {}
}

/// [`Operation::formerly`] describes the header, with what it changes.
impl Extractor for ApiVersion {
    fn describe(_: &mut Operation) {}
}

/// A JSON object that somebody else defines, as it was sent.
impl Extractor for Bytes {
    fn describe(operation: &mut Operation) {
        let any = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        operation.body(Content::new(Some(any)));
    }
}

impl Extractor for SignedIn {
    fn describe(operation: &mut Operation) {
        let bearer = SecurityRequirement::new::<_, [&str; 0], _>(BEARER, []);
        operation.openapi.security = Some(vec![bearer]);
        operation.problems.push(UNAUTHENTICATED);
    }
}

impl<S: Scope> Extractor for Allowed<S> {
    fn describe(operation: &mut Operation) {
        SignedIn::describe(operation);
        let bearer = SecurityRequirement::new(BEARER, [S::NAME]);
        operation.openapi.security = Some(vec![bearer]);
        operation.problems.push(FORBIDDEN);
    }
}

impl<T: ToSchema> Extractor for Json<T> {
    fn describe(operation: &mut Operation) {
        let schema = operation.schemas.add::<T>();
        operation.body(Content::new(Some(schema)));
        let problems = [INVALID_JSON, UNSUPPORTED_MEDIA_TYPE, INVALID_BODY];
        operation.problems.extend(problems);
    }
}

impl<T: ToSchema> Extractor for MergePatch<T> {
    fn describe(operation: &mut Operation) {
        let schema = operation.schemas.add_patch::<T>();
        operation.body_of(MERGE_PATCH, Content::new(Some(schema)));
        let problems = [INVALID_JSON, UNSUPPORTED_MEDIA_TYPE, INVALID_BODY];
        operation.problems.extend(problems);
    }
}

impl Extractor for Precondition {
    fn describe(operation: &mut Operation) {
        let tag = || schemas::text(None, Some(TAGS), ETAG);
        let description = "The `ETag` of the answer that the edit is based on; only its part before the \
                           dot counts. Needed if the edit changes something that exists. `*`: replace \
                           it, whatever it is.";
        operation.parameter("If-Match", ParameterIn::Header, false, description, tag());
        let description = "`*`: refuse the request if there is something already.";
        operation.parameter("If-None-Match", ParameterIn::Header, false, description, tag());
        operation.headers.push("ETag");
        let problems = [INVALID_PARAMETER, PRECONDITION_FAILED, PRECONDITION_REQUIRED];
        operation.problems.extend(problems);
    }
}

impl Extractor for Transaction {
    fn describe(operation: &mut Operation) {
        let description = "A random value for each new request, and the same value for its retries, \
                           which get the first answer again for 24 h. Bare, or quoted as a string of \
                           RFC 9651.";
        let pattern = format!(
            r#"^([!#-+.-~-][ -+\--~]{{0,{}}}|"([ !#-\[\]-~]|\\["\\]){{1,{MAX_KEY_LENGTH}}}")$"#,
            MAX_KEY_LENGTH - 1
        );
        let example = "8e03978e-40d5-43dd-bc93-6894a57f9324";
        let schema = schemas::text(None, Some(&pattern), example);
        operation.parameter("Idempotency-Key", ParameterIn::Header, true, description, schema);
        operation.headers.push(REPLAYED);
        operation.problems.extend([KEY_MISSING, KEY_INVALID, KEY_REUSED, IN_PROGRESS]);
    }
}

impl<T: ToSchema> Extractor for Path<T> {
    fn describe(operation: &mut Operation) {
        let first = operation.path.split(['{', '}']).nth(1).unwrap_or_default().to_owned();
        for field in operation.schemas.fields::<T>(&first) {
            let (name, description) = (field.name, field.description);
            operation.parameter(&name, ParameterIn::Path, true, &description, field.schema);
        }
        operation.problems.push(INVALID_PARAMETER);
    }
}

impl<T: ToSchema> Extractor for Query<T> {
    fn describe(operation: &mut Operation) {
        for field in operation.schemas.fields::<T>("") {
            let (name, description) = (field.name, field.description);
            let place = ParameterIn::Query;
            operation.parameter(&name, place, field.is_required, &description, field.schema);
        }
        operation.problems.push(INVALID_PARAMETER);
    }
}
