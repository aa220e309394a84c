//! The deployed stack: its CloudFormation outputs, and its API.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use ulid::Ulid;

use crate::contract::{CONTRACT, Exchange};
use crate::mailbox::mail_to;
use crate::{account, endpoint, eventually};

/// The maximum time until a document has ended, on a busy machine with a language model.
const SETTLED_WITHIN: Duration = Duration::from_mins(4);
/// The stack's name.
pub const NAME: &str = "arsenal";
/// A password that registration accepts.
pub const PASSWORD: &str = "correct horse battery";

/// The deployed stack.
pub struct Stack {
    /// The configuration of its account, with an operator's permissions.
    pub aws: SdkConfig,
    /// The API's URL.
    pub api: String,
    outputs: HashMap<String, String>,
    http: reqwest::Client,
}

/// A signed-in user.
pub struct User<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// The user's id.
    pub id: String,
    /// The user's address.
    pub email: String,
    /// The user's access token.
    pub token: String,
}

/// A response of the API.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The content type.
    pub content_type: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, if it is JSON.
    pub body: Value,
}

impl Answer {
    /// The last part of a problem's type.
    #[must_use]
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.rsplit('/').next()).unwrap_or_default()
    }
}

impl Stack {
    /// The stack that `make test` deployed.
    pub async fn deployed() -> Self {
        let aws = account::deployed().await;
        let outputs = outputs(&aws_sdk_cloudformation::Client::new(&aws)).await;
        let api = format!("{}/_aws/execute-api/{}/$default", endpoint(), outputs["ApiId"]);
        Self { aws, api, outputs, http: reqwest::Client::new() }
    }

    /// An output of the root stack, or of a system with the system's name as prefix: `CheckoutTableName`.
    #[must_use]
    pub fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    /// Calls the API with a new `Idempotency-Key`.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        self.call_keyed(method, path, token, body, Ulid::generate().to_string()).await
    }

    /// Calls the API with this `Idempotency-Key`.
    pub async fn call_keyed(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        key: impl AsRef<str>,
    ) -> Answer {
        self.call_with(method, path, token, body, &[("idempotency-key", key.as_ref())]).await
    }

    /// Calls the API with these headers.
    pub async fn call_with(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.api));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = body.as_ref().map(Value::to_string).unwrap_or_default();
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        CONTRACT.check(&Exchange {
            method: method.as_str(),
            path: path.split('?').next().unwrap(),
            request: sent.as_bytes(),
            status: status.as_u16(),
            headers: &headers,
            response: &body,
        });
        let content_type = headers.get("content-type");
        Answer {
            status,
            content_type: content_type.map_or("", |v| v.to_str().unwrap()).to_owned(),
            headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    /// Registers a new user, by the link in the mail, and signs in.
    pub async fn new_user(&self) -> User<'_> {
        let email = format!("{}@example.org", Ulid::generate().to_string().to_lowercase());
        let address = Some(json!({"email": email}));
        let answer = self.call(Method::POST, "/v1/auth/register", None, address).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let mail = mail_to(&self.aws, &email, 1).await;
        let chosen = Some(json!({"token": mail.token(), "password": PASSWORD}));
        let user = self.call(Method::POST, "/v1/auth/confirm", None, chosen).await;
        assert_eq!(user.status, 201, "{user:?}");
        let token = self.sign_in(&email).await;
        User { stack: self, id: user.body["id"].as_str().unwrap().into(), email, token }
    }

    /// Registers a new user, gives the user the role `admin` as an operator does, and signs in.
    pub async fn new_admin(&self) -> User<'_> {
        let mut user = self.new_user().await;
        aws_sdk_dynamodb::Client::new(&self.aws)
            .update_item()
            .table_name(self.output("AuthTableName"))
            .key("pk", AttributeValue::S(format!("USER#{}", user.id)))
            .key("sk", AttributeValue::S("ACCOUNT".into()))
            .update_expression("SET #roles = list_append(#roles, :admin)")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#roles", "roles")
            .expression_attribute_values(
                ":admin",
                AttributeValue::L(vec![AttributeValue::S("admin".into())]),
            )
            .send()
            .await
            .unwrap();
        user.token = self.sign_in(&user.email).await;
        user
    }

    /// Signs a user in; gives the access token.
    pub async fn sign_in(&self, email: &str) -> String {
        let credentials = json!({"email": email, "password": PASSWORD});
        let answer = self.call(Method::POST, "/v1/auth/login", None, Some(credentials)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Invokes a function and waits for its end.
    ///
    /// # Panics
    /// When the function fails.
    pub async fn invoke(&self, function: &str, event: &Value) {
        let answer = aws_sdk_lambda::Client::new(&self.aws)
            .invoke()
            .function_name(format!("{NAME}-{function}"))
            .payload(aws_sdk_lambda::primitives::Blob::new(event.to_string()))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.function_error(), None, "{function}");
    }

    /// The keys in the documents bucket that begin with `prefix`.
    pub async fn object_keys(&self, prefix: &str) -> Vec<String> {
        let s3 = account::s3(&self.aws);
        let request = s3.list_objects_v2().bucket(self.output("DocumentsBucketName"));
        let listed = request.prefix(prefix).send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// Gets a URL; gives the status and the body.
    pub async fn download(&self, url: &str) -> (StatusCode, String) {
        let response = self.http.get(url).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// Posts a file to S3 with the fields of an upload form; gives the status and the body of S3's response.
    pub async fn post(&self, form: &Value, file: Vec<u8>) -> (StatusCode, String) {
        let mut body = Form::new();
        for (name, value) in form["fields"].as_object().unwrap() {
            body = body.text(name.clone(), value.as_str().unwrap().to_owned());
        }
        let file = Part::bytes(file).file_name("file.pdf").mime_str("application/pdf").unwrap();
        let request = self.http.post(form["url"].as_str().unwrap());
        let response = request.multipart(body.part("file", file)).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }
}

/// The outputs of the stack, and those of its nested stacks as `<logical id><output key>`.
async fn outputs(cloudformation: &aws_sdk_cloudformation::Client) -> HashMap<String, String> {
    let listed = cloudformation.describe_stack_resources().stack_name(NAME).send().await.unwrap();
    let nested = listed
        .stack_resources()
        .iter()
        .filter(|resource| resource.resource_type() == Some("AWS::CloudFormation::Stack"))
        .map(|resource| {
            (resource.logical_resource_id().unwrap(), resource.physical_resource_id().unwrap())
        });
    let mut outputs = HashMap::new();
    for (system, stack) in [("", NAME)].into_iter().chain(nested) {
        let described = cloudformation.describe_stacks().stack_name(stack).send().await.unwrap();
        for output in described.stacks()[0].outputs() {
            let (key, value) = (output.output_key().unwrap(), output.output_value().unwrap());
            outputs.insert(format!("{system}{key}"), value.to_owned());
        }
    }
    outputs
}

impl User<'_> {
    /// `GET path`
    pub async fn get(&self, path: &str) -> Answer {
        self.stack.call(Method::GET, path, Some(&self.token), None).await
    }

    /// Announces a document; the answer has the document and the upload form.
    pub async fn announce(&self, name: &str, size: usize) -> Answer {
        let body = json!({"name": name, "size": size});
        self.stack.call(Method::POST, "/v1/documents", Some(&self.token), Some(body)).await
    }

    /// Announces a document with a schema for data extraction, and uploads it; gives its id.
    pub async fn upload_for(&self, schema: &str, name: &str, file: Vec<u8>) -> String {
        let body = json!({"name": name, "size": file.len(), "schema": schema});
        let created = self.post("/v1/documents", body).await;
        self.send(&created, file).await
    }

    /// `POST path`
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.stack.call(Method::POST, path, Some(&self.token), Some(body)).await
    }

    /// `PUT path`
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.stack.call(Method::PUT, path, Some(&self.token), Some(body)).await
    }

    /// `DELETE path`
    pub async fn delete(&self, path: &str) -> Answer {
        self.stack.call(Method::DELETE, path, Some(&self.token), None).await
    }

    /// Announces a document with this `Idempotency-Key`.
    pub async fn announce_keyed(&self, key: &str, name: &str, size: usize) -> Answer {
        let (token, body) = (Some(self.token.as_str()), json!({"name": name, "size": size}));
        self.stack.call_keyed(Method::POST, "/v1/documents", token, Some(body), key).await
    }

    /// Announces and uploads a file; gives the document's id.
    pub async fn upload(&self, name: &str, file: Vec<u8>) -> String {
        let created = self.announce(name, file.len()).await;
        self.send(&created, file).await
    }

    async fn send(&self, created: &Answer, file: Vec<u8>) -> String {
        assert_eq!(created.status, 201, "{created:?}");
        let (status, answer) = self.stack.post(&created.body["upload"], file).await;
        assert_eq!(status, 201, "{answer}");
        created.body["document"]["id"].as_str().unwrap().to_owned()
    }

    /// The document, after it has ended.
    ///
    /// # Panics
    /// When it has not ended after four minutes.
    pub async fn settled(&self, id: &str) -> Value {
        eventually(&format!("the end of {id}"), SETTLED_WITHIN, async || {
            let answer = self.get(&format!("/v1/documents/{id}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let status = answer.body["status"].as_str();
            let has_ended = matches!(status, Some("ready" | "rejected" | "failed" | "cancelled"));
            has_ended.then_some(answer.body)
        })
        .await
    }
}
