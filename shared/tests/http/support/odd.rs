//! Events with odd members: what no API Gateway sends, and what callers can put into one.

use std::io::Write as _;

use arbitrary::Arbitrary;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

const ROUTES: [&str; 11] = [
    "GET /v1/products/{sku}",
    "PUT /v1/products/{sku}",
    "GET /v1/products",
    "GET /v1/users/{id}",
    "POST /v1/orders",
    "GET /v1/settings",
    "PUT /v1/settings",
    "PUT /v1/payments/webhook",
    "HEAD /v1/products",
    "OPTIONS /v1/orders",
    "GET /v1/nothing",
];

/// Members of an event that a change is made to.
const PLACES: [&str; 24] = [
    "/routeKey",
    "/rawPath",
    "/rawQueryString",
    "/cookies",
    "/headers",
    "/headers/content-type",
    "/headers/host",
    "/pathParameters",
    "/pathParameters/sku",
    "/pathParameters/id",
    "/body",
    "/isBase64Encoded",
    "/requestContext",
    "/requestContext/stage",
    "/requestContext/timeEpoch",
    "/requestContext/requestId",
    "/requestContext/routeKey",
    "/requestContext/http",
    "/requestContext/http/method",
    "/requestContext/http/sourceIp",
    "/requestContext/authorizer",
    "/requestContext/authorizer/lambda",
    "/requestContext/authorizer/lambda/sub",
    "/requestContext/authorizer/lambda/expires_at",
];

const NAMES: [&str; 18] = [
    "accept",
    "accept-encoding",
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "prefer",
    "range",
    "traceparent",
    "transfer-encoding",
    "x-forwarded-proto",
    "X-Forwarded-For",
];

/// Texts that mean something to a part of the edge.
const WORDS: [&str; 30] = [
    "",
    "*",
    "*/*;q=0",
    "application/json",
    "application/json, text/plain",
    "application/problem+json",
    "gzip",
    "gzip, gzip",
    "identity;q=0, *;q=0",
    "chunked",
    "5, 6",
    "wait=99999999999999999999",
    "respond-async; wait=\"3\"",
    "\"a\\\"b\"",
    "a,b",
    "W/\"*\"",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "limit=3&cursor=MQ",
    "limit=0&limit=1",
    "limit=%FF&=&&cursor",
    "?#%",
    "%2F..%00",
    "../..",
    "{sku}",
    "\u{0}\r\n",
    "é\u{301}\u{202e}",
    "$default",
    "HEAD",
    "GE T",
    "https",
];

#[derive(Arbitrary, Clone, Debug)]
enum Text {
    Word(u8),
    Any(String),
    Both(u8, String),
    /// Over a limit, or just below it.
    Long(u8, u16),
}

impl Text {
    fn text(self) -> String {
        let word = |index: u8| WORDS[usize::from(index) % WORDS.len()];
        match self {
            Self::Word(index) => word(index).into(),
            Self::Any(text) => text,
            Self::Both(index, text) => format!("{}{text}", word(index)),
            Self::Long(byte, length) => {
                char::from(byte).to_string().repeat(usize::from(length) % 20_000)
            }
        }
    }
}

#[derive(Arbitrary, Clone, Debug)]
enum Odd {
    Missing,
    Null,
    Bool(bool),
    Number(i64),
    Fraction(f64),
    Text(Text),
    List(Vec<Odd>),
    Map(Vec<(Text, Odd)>),
    Deep(u8),
}

impl Odd {
    fn value(self) -> Value {
        match self {
            Self::Missing | Self::Null => Value::Null,
            Self::Bool(bool) => bool.into(),
            Self::Number(number) => number.into(),
            Self::Fraction(fraction) => fraction.into(),
            Self::Text(text) => text.text().into(),
            Self::List(elements) => elements.into_iter().map(Self::value).collect(),
            Self::Map(members) => {
                members.into_iter().map(|(name, member)| (name.text(), member.value())).collect()
            }
            Self::Deep(depth) => (0..depth % 100).fold(json!({}), |inner, _| json!([inner])),
        }
    }
}

#[derive(Arbitrary, Clone, Debug)]
enum Body {
    AsItIs,
    Order(Option<Odd>, Option<Odd>),
    Json(Odd),
    Text(Text),
    Bytes(Vec<u8>),
    Gzip(Odd),
    DamagedGzip(Vec<u8>, u8),
    Bomb,
}

/// An event for a route of the [API](super::router), with odd headers, members and body.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) struct OddEvent {
    route: u8,
    is_keyed: bool,
    body: Body,
    headers: Vec<(u8, Text)>,
    any_header: Option<(String, Text)>,
    parameter: Option<Text>,
    query: Option<Text>,
    changes: Vec<(u8, Odd)>,
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

fn encoded(event: &mut Value, bytes: &[u8]) {
    event["body"] = BASE64_STANDARD.encode(bytes).into();
    event["isBase64Encoded"] = true.into();
}

impl Body {
    fn put(self, event: &mut Value) {
        match self {
            Self::AsItIs => {}
            Self::Order(items, note) => {
                let items = items.map_or(json!([{"sku": "MUG", "quantity": 1}]), Odd::value);
                let order = json!({"items": items, "note": note.map(Odd::value)});
                event["body"] = order.to_string().into();
            }
            Self::Json(json) => event["body"] = json.value().to_string().into(),
            Self::Text(text) => event["body"] = text.text().into(),
            Self::Bytes(bytes) => encoded(event, &bytes),
            Self::Gzip(json) => Self::compressed(event, &gzip(json.value().to_string().as_bytes())),
            Self::DamagedGzip(bytes, at) => {
                let mut bytes = gzip(&bytes);
                let length = bytes.len();
                bytes[usize::from(at) % length] ^= 1 << (at % 8);
                Self::compressed(event, &bytes);
            }
            Self::Bomb => Self::compressed(event, &gzip(&vec![b'['; 1 << 20])),
        }
    }

    fn compressed(event: &mut Value, bytes: &[u8]) {
        encoded(event, bytes);
        event["headers"]["content-encoding"] = "gzip".into();
    }
}

impl OddEvent {
    /// The event.
    pub(crate) fn event(self) -> Value {
        let mut event = super::event(ROUTES[usize::from(self.route) % ROUTES.len()]);
        if self.is_keyed {
            event["headers"]["idempotency-key"] = "8e03978e".into();
        }
        self.body.put(&mut event);
        for (name, value) in self.headers {
            event["headers"][NAMES[usize::from(name) % NAMES.len()]] = value.text().into();
        }
        if let Some((name, value)) = self.any_header {
            event["headers"][name] = value.text().into();
        }
        if let Some(parameter) = self.parameter {
            event["pathParameters"]["sku"] = parameter.text().into();
        }
        if let Some(query) = self.query {
            event["rawQueryString"] = query.text().into();
        }
        for (place, odd) in self.changes {
            change(&mut event, PLACES[usize::from(place) % PLACES.len()], odd);
        }
        event
    }
}

fn change(event: &mut Value, place: &str, odd: Odd) {
    let Some((parent, name)) = place.rsplit_once('/') else { return };
    let Some(Value::Object(parent)) = event.pointer_mut(parent) else { return };
    if matches!(odd, Odd::Missing) {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), odd.value());
    }
}
