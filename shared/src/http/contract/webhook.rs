use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Operation as OpenApiOperation, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Content, Ref, Required, ResponseBuilder};

use super::Operation;
use super::schemas::{Schemas, text};
use super::unions::capitalised;

/// The headers of a webhook: name, description, example.
const HEADERS: [(&str, &str, &str); 3] = [
    (
        "webhook-id",
        "The message's id. A message that is sent again has the same id.",
        "msg_ord_01M7YRRT800000000000000002_1",
    ),
    (
        "webhook-timestamp",
        "The time of the attempt, in seconds since 1970. Refuse a message that is not recent.",
        "1795255200",
    ),
    (
        "webhook-signature",
        "One signature for each valid secret, separated by spaces: `v1,` and the HMAC-SHA256, in \
         base64, of the id, the timestamp and the body, joined with dots (Standard Webhooks).",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
];

/// The webhook of the messages with the type `kind`, whose data is a `T`. It is a part of the
/// [`document`](super::document) that is not an endpoint: the system calls its receiver.
pub fn webhook<T: ToSchema>(system: &str, kind: &'static str, summary: &str) -> Operation {
    let mut schemas = Schemas::default();
    let data = schemas.add::<T>();
    let date_time = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    let kind_schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind]));
    let time = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(date_time))
        .description(Some("The time of the event."));
    let message = ObjectBuilder::new()
        .description(Some(format!("The webhook `{kind}`.")))
        .property("type", kind_schema)
        .property("timestamp", time)
        .property("data", data)
        .required("type")
        .required("timestamp")
        .required("data");
    let message =
        schemas.insert(&(capitalised(kind, '.') + "Message"), Schema::Object(message.build()));
    let message = Ref::from_schema_name(message);
    let body = RequestBodyBuilder::new()
        .content("application/json", Content::new(Some(message)))
        .required(Some(Required::True));
    let mut openapi = OpenApiOperation::new();
    openapi.request_body = Some(body.build().into());
    openapi.operation_id = Some(format!("{system}-webhook-{}", kind.replace('.', "-")));
    openapi.summary = Some(summary.to_owned());
    openapi.tags = Some(vec![system.to_owned()]);
    openapi.security = Some(Vec::new());
    let mut operation = Operation {
        path: kind.to_owned(),
        methods: vec![HttpMethod::Post],
        openapi,
        schemas,
        problems: Vec::new(),
        errors: Vec::new(),
        headers: Vec::new(),
    };
    for (name, description, example) in HEADERS {
        operation.parameter(
            name,
            ParameterIn::Header,
            true,
            description,
            text(None, None, example),
        );
    }
    let received = ResponseBuilder::new().description("The message is received.").build();
    operation.openapi.responses.responses.insert("2XX".to_owned(), received.into());
    operation
}
