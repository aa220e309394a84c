//! The checker of the endpoints' tests finds what the document does not say.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use testing::contract::{Contract, Exchange};

const DOCUMENT: &str = r"
openapi: 3.1.0
paths:
  /v1/things/{id}:
    put:
      operationId: things-put
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/New'}}
      responses:
        '200':
          headers: {Location: {}}
          content:
            application/json: {schema: {$ref: '#/components/schemas/Thing'}}
        '202':
          headers: {Deprecation: {}, Sunset: {}, Link: {}, Arsenal-Version: {}}
          content:
            application/json:
              schema:
                oneOf: [{$ref: '#/components/schemas/More'}, {$ref: '#/components/schemas/Named'}]
                x-versions: [2026-12-01, 2026-11-30]
        '204': {}
        '409': {$ref: '#/components/responses/Taken'}
components:
  responses:
    Taken:
      content:
        application/problem+json:
          schema: {type: object, properties: {type: {enum: [taken]}}}
  schemas:
    New: {type: object, properties: {name: {type: string, minLength: 1}}}
    Named: {type: object, required: [name], properties: {name: {type: string}}}
    Thing:
      allOf:
      - $ref: '#/components/schemas/Named'
      - {type: object, properties: {at: {type: string, format: date-time}, more: {$ref: '#/components/schemas/More'}}}
    More: {type: object, properties: {of: {type: array, items: {$ref: '#/components/schemas/Named'}}}}
";

struct Case {
    path: &'static str,
    request: &'static str,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    response: &'static str,
}

const GOOD: Case = Case {
    path: "/v1/things/1",
    request: r#"{"name": "a"}"#,
    status: 200,
    headers: &[("content-type", "application/json"), ("location", "/v1/things/1")],
    response: r#"{"name": "a", "at": "2026-11-30T10:00:00Z", "more": {"of": [{"name": "b"}]}}"#,
};

fn found(case: &Case) -> Result<(), String> {
    let headers = case
        .headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    Contract::of(DOCUMENT).try_check(&Exchange {
        method: "PUT",
        path: case.path,
        request: case.request.as_bytes(),
        status: case.status,
        headers: &headers.collect::<HeaderMap>(),
        response: case.response.as_bytes(),
    })
}

#[test]
fn an_exchange_as_declared_passes() {
    found(&GOOD).unwrap();
    found(&Case { request: r#"{"name": "a", "other": null}"#, ..GOOD }).unwrap();
    found(&Case { status: 204, headers: &[], response: "", ..GOOD }).unwrap();
    let headers = &[("content-type", "application/problem+json")];
    found(&Case { status: 409, headers, response: r#"{"type": "taken"}"#, ..GOOD }).unwrap();
    found(&Case { path: "/v1/others", status: 404, headers, response: "{}", ..GOOD }).unwrap();
}

#[test]
fn each_difference_from_the_document_is_found() {
    let problem = &[("content-type", "application/problem+json")];
    for (case, error) in [
        (Case { path: "/v1/others", ..GOOD }, "no such operation"),
        (Case { status: 201, ..GOOD }, "the status 201"),
        (
            Case { headers: &[("content-type", "text/plain"), ("location", "/")], ..GOOD },
            "text/plain",
        ),
        (Case { headers: &[("content-type", "application/json")], ..GOOD }, "Location"),
        (
            Case {
                headers: &[("content-type", "application/json"), ("location", "/"), ("etag", "1")],
                ..GOOD
            },
            "the header etag",
        ),
        (Case { response: "", ..GOOD }, "the body is missing"),
        (Case { status: 204, ..GOOD }, "the header location"),
        (Case { response: "{}", ..GOOD }, "name"),
        (Case { response: r#"{"name": "a", "other": 1}"#, ..GOOD }, "other"),
        (Case { response: r#"{"name": "a", "at": "today"}"#, ..GOOD }, "date-time"),
        (Case { response: r#"{"name": "a", "more": {"other": 1}}"#, ..GOOD }, "other"),
        (
            Case {
                response: r#"{"name": "a", "more": {"of": [{"name": "b", "other": 1}]}}"#,
                ..GOOD
            },
            "other",
        ),
        (Case { request: r#"{"name": ""}"#, ..GOOD }, "the accepted request"),
        (Case { request: r#"{"name": "a", "other": 1}"#, ..GOOD }, "the accepted request"),
        (Case { status: 409, headers: problem, response: r#"{"type": "other"}"#, ..GOOD }, "other"),
    ] {
        let found = found(&case).unwrap_err();
        assert!(found.contains(error), "{error}: {found}");
    }
}

#[test]
fn an_answer_has_the_form_of_its_version_and_says_if_it_ends() {
    const ENDS: [(&str, &str); 3] =
        [("deprecation", "@1"), ("sunset", "then"), ("link", "<x>; rel=\"deprecation\"")];
    for (version, response, ends, error) in [
        ("2026-12-01", r#"{"of": []}"#, false, ""),
        ("2026-12-02", r#"{"of": []}"#, false, ""),
        ("2026-11-30", r#"{"name": "a"}"#, true, ""),
        ("2026-12-01", r#"{"name": "a"}"#, false, "name"),
        ("2026-11-30", r#"{"of": []}"#, true, "of"),
        ("2026-12-01", r#"{"of": []}"#, true, "Sunset"),
        ("2026-11-30", r#"{"name": "a"}"#, false, "Sunset"),
        ("2026-11-29", r#"{"name": "a"}"#, true, "no form"),
        ("", r#"{"of": []}"#, false, "no form"),
    ] {
        let own = [("content-type", "application/json"), ("arsenal-version", version)];
        let headers = own.iter().chain(ENDS.iter().filter(|_| ends)).copied().collect::<Vec<_>>();
        let case = Case { status: 202, headers: headers.leak(), response, ..GOOD };
        let found = found(&case).err().unwrap_or_default();
        assert!(
            found.contains(error) && found.is_empty() == error.is_empty(),
            "{version}: {found}"
        );
    }
    let unnamed =
        Case { status: 202, response: r#"{"of": []}"#, headers: &GOOD.headers[..1], ..GOOD };
    assert!(found(&unnamed).unwrap_err().contains("Arsenal-Version"));
}
