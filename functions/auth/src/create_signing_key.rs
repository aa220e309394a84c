//! The signing key, made when the stack is deployed: a CloudFormation custom resource.
//!
//! It ends in the same state however often it runs and wherever it was cut off: if the secret holds
//! no key, one is made; then its public half is published.

use std::time::Duration;

use aws_lambda_events::cloudformation::CloudFormationCustomResourceRequest as Request;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;
use shared::outbound::{Limits, Outbound};
use shared::program::Environment;
use shared::{Error, Result};

use crate::keys::{PrivateKeys, PublicKeys, SigningKey};
use crate::system;

/// What answering CloudFormation may take.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(3), total: Duration::from_secs(10), answer: 16 * 1024 };

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = CreateSigningKey {
        private: system::private_keys(environment)?,
        public: system::public_keys(environment)?,
    };
    shared::invocation::run(async |request, _| task.handle(request).await).await
}

/// What the task needs.
#[derive(Clone, Debug)]
pub struct CreateSigningKey {
    /// Where the private half is kept.
    pub private: PrivateKeys,
    /// Where the public half is published.
    pub public: PublicKeys,
}

/// What CloudFormation is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    physical_resource_id: &'static str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
}

impl CreateSigningKey {
    /// Does what CloudFormation asks and answers it, whatever came of it: a request that is not
    /// answered holds the deployment up for an hour.
    pub async fn handle(&self, request: Request<Value, Value>) -> Result<()> {
        let (outcome, stack_id, request_id, logical_resource_id, url) = match &request {
            Request::Create(r) => {
                let made = self.ensure(&r.request_id).await;
                (made, &r.stack_id, &r.request_id, &r.logical_resource_id, &r.response_url)
            }
            Request::Update(r) => {
                let made = self.ensure(&r.request_id).await;
                (made, &r.stack_id, &r.request_id, &r.logical_resource_id, &r.response_url)
            }
            Request::Delete(r) => {
                // CloudFormation deletes the public half itself, and the private one is retained.
                (Ok(()), &r.stack_id, &r.request_id, &r.logical_resource_id, &r.response_url)
            }
            _ => return Err(Error::internal("an unknown request of CloudFormation's")),
        };
        if let Err(error) = &outcome {
            tracing::error!(error = error.trail(), "the signing key was not made");
        }
        let answer = Answer {
            status: if outcome.is_ok() { "SUCCESS" } else { "FAILED" },
            reason: outcome.is_err().then_some("see the function's log"),
            physical_resource_id: "signing-key",
            stack_id,
            request_id,
            logical_resource_id,
        };
        send(url, &answer).await
    }

    /// Makes the key unless there is one, and publishes its public half.
    pub async fn ensure(&self, request_id: &str) -> Result<()> {
        if self.private.get().await?.is_none() {
            self.private.put(&SigningKey::generate()?, request_id).await?;
            tracing::info!("made a signing key");
        }
        // What is published is what is stored, not what this run would have stored.
        self.public.put(&self.private.current().await?.public()?).await
    }
}

/// Puts the answer where CloudFormation waits for it: a presigned URL of S3.
async fn send(url: &str, answer: &Answer<'_>) -> Result<()> {
    // The URL is signed for a request without a content type.
    let request = Outbound::unguarded(LIMITS)?.request(Method::PUT, url);
    let head = request.body(serde_json::to_vec(answer)?).send_for_status().await?;
    if head.status.is_success() {
        return Ok(());
    }
    Err(Error::internal(format!("CloudFormation's URL answered {}", head.status)))
}
