//! The custom resource. A mock server receives its answers instead of CloudFormation.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::time::Duration;

use auth::create_signing_key::CreateSigningKey;
use auth::keys::{KeyRing, PrivateKeys, PublicKeys};
use serde_json::{Value, json};
use shared::clock::Clock;
use testing::{account, event};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A server that accepts answers, as S3 does for CloudFormation.
async fn cloudformation() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("PUT")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    server
}

struct Deployment {
    task: CreateSigningKey,
    cloudformation: MockServer,
}

async fn deployment(secret_id: &str) -> Deployment {
    let aws = account::empty().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    secrets.create_secret().name("signing-key").send().await.unwrap();
    secrets.create_secret().name("public-keys").send().await.unwrap();
    let task = CreateSigningKey {
        private: PrivateKeys::new(secrets.clone(), secret_id.into()),
        public: PublicKeys::new(secrets, "public-keys".into()),
        clock: Clock::System,
    };
    Deployment { task, cloudformation: cloudformation().await }
}

impl Deployment {
    async fn request(&self, kind: &str) -> Value {
        let mut request: Value = serde_json::from_str(&event("auth-create-signing-key")).unwrap();
        request["RequestType"] = json!(kind);
        request["ResponseURL"] = json!(format!("{}/answer", self.cloudformation.uri()));
        request["PhysicalResourceId"] = json!("signing-key");
        request["OldResourceProperties"] = json!({});
        self.task.handle(serde_json::from_value(request).unwrap()).await.unwrap();
        let answers = self.cloudformation.received_requests().await.unwrap();
        answers.last().unwrap().body_json().unwrap()
    }
}

#[tokio::test]
async fn a_key_is_created_once_and_published() {
    let d = deployment("signing-key").await;
    let answer = d.request("Create").await;
    assert_eq!(
        answer,
        json!({
            "Status": "SUCCESS",
            "PhysicalResourceId": "signing-key",
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/arsenal/6f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8",
            "RequestId": "0c5b9f0e-8b1d-4a5e-9f53-2d1c3b4a5968",
            "LogicalResourceId": "SigningKey",
        })
    );
    let key = d.task.private.current().await.unwrap();
    assert_eq!(d.task.public.current().await.unwrap(), key.public().unwrap());

    for again in ["Create", "Update"] {
        assert_eq!(d.request(again).await["Status"], "SUCCESS");
        let again = d.task.private.current().await.unwrap();
        assert_eq!(again.public().unwrap(), key.public().unwrap());
    }
}

#[tokio::test]
async fn a_run_after_a_crash_publishes_the_same_key() {
    let d = deployment("signing-key").await;
    // As if the first run crashed between the private and the public half.
    let key = KeyRing::generate(Clock::System.now()).unwrap();
    d.task.private.put(&key, None).await.unwrap();
    assert_eq!(d.request("Create").await["Status"], "SUCCESS");
    assert_eq!(d.task.public.current().await.unwrap(), key.public().unwrap());
}

/// Otherwise a deployment would publish keys again that an emergency has just ended.
#[tokio::test]
async fn a_deployment_during_a_rotation_publishes_nothing() {
    let d = deployment("signing-key").await;
    d.request("Create").await;
    // A rotation has published its keys, and has not stored them yet.
    let next = KeyRing::generate(Clock::System.now()).unwrap().public().unwrap();
    d.task.public.put(&next).await.unwrap();
    assert_eq!(d.request("Update").await["Status"], "SUCCESS");
    assert_eq!(d.task.public.current().await.unwrap(), next);
}

#[tokio::test]
async fn a_failure_is_answered() {
    let d = deployment("no-such-secret").await;
    let answer = d.request("Create").await;
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(answer["Reason"], "see the function's log");
}

#[tokio::test]
async fn a_delete_request_keeps_the_private_key() {
    let d = deployment("signing-key").await;
    d.request("Create").await;
    for _ in 0..2 {
        assert_eq!(d.request("Delete").await["Status"], "SUCCESS");
    }
    assert!(d.task.private.get().await.unwrap().is_some());
}

#[tokio::test]
async fn reading_unpublished_keys_is_an_error() {
    let d = deployment("signing-key").await;
    assert!(d.task.public.current().await.is_err());
}

/// Secrets Manager does not answer.
#[tokio::test]
async fn reading_keys_times_out() {
    let server = MockServer::start().await;
    let never = ResponseTemplate::new(200).set_delay(Duration::from_hours(1));
    Mock::given(any()).respond_with(never).mount(&server).await;
    let aws = account::at(&server.uri()).await;
    let signs = PrivateKeys::new(aws_sdk_secretsmanager::Client::new(&aws), "s".into());
    let checks = PublicKeys::new(aws_sdk_secretsmanager::Client::new(&aws), "p".into());
    let (signs, checks) = tokio::join!(signs.current(), checks.current());
    for trail in [signs.err().unwrap().trail(), checks.err().unwrap().trail()] {
        assert!(trail.contains("timeout"), "{trail}");
    }
}
