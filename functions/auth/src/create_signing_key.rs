//! Creates the keys when the stack is deployed: a CloudFormation custom resource.
//!
//! It is idempotent, and a run after a crash completes the work: if the secret has no key, it creates one;
//! then it publishes the public half.

use std::time::Duration;

use aws_lambda_events::cloudformation::CloudFormationCustomResourceRequest as Request;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;
use shared::clock::Clock;
use shared::outbound::{Limits, Outbound};
use shared::program::Environment;
use shared::{Error, Result};

use crate::keys::{KeyRing, PrivateKeys, PublicKeys};
use crate::system;

/// The limits of the answer to CloudFormation.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(3), total: Duration::from_secs(10), answer: 16 * 1024 };

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = CreateSigningKey {
        private: system::private_keys(environment)?,
        public: system::public_keys(environment)?,
        clock: environment.clock.clone(),
    };
    shared::invocation::run(async |request, _| task.handle(request).await).await
}

/// The task's dependencies.
#[derive(Clone, Debug)]
pub struct CreateSigningKey {
    /// The secret of the private half.
    pub private: PrivateKeys,
    /// The secret of the public half.
    pub public: PublicKeys,
    /// The clock.
    pub clock: Clock,
}

/// The answer to CloudFormation.
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
    /// Handles a request of CloudFormation. It answers in every case, because a request without an answer
    /// blocks the deployment until the resource's `ServiceTimeout`.
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
                // CloudFormation deletes the public half itself, and retains the private half.
                (Ok(()), &r.stack_id, &r.request_id, &r.logical_resource_id, &r.response_url)
            }
            _ => return Err(Error::internal("an unknown request type of CloudFormation")),
        };
        if let Err(error) = &outcome {
            tracing::error!(error = error.trail(), "the signing key was not created");
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

    /// Creates the keys if there are none, and publishes their public halves if none are published. `request_id` makes
    /// a repeated call idempotent.
    pub async fn ensure(&self, request_id: &str) -> Result<()> {
        if self.private.get().await?.is_none() {
            let keys = KeyRing::generate(self.clock.now())?;
            self.private.put(&keys, Some(request_id)).await?;
            tracing::info!("created the keys");
        }
        // Published keys stay as they are: a rotation may have published keys that it has not stored yet.
        if self.public.get().await?.is_some() {
            return Ok(());
        }
        // Publish the stored keys: another run may have stored them.
        self.public.put(&self.private.current().await?.public()?).await
    }
}

/// Puts the answer to CloudFormation's presigned S3 URL.
async fn send(url: &str, answer: &Answer<'_>) -> Result<()> {
    // The URL is signed for a request without a content type.
    let request = Outbound::unguarded(LIMITS)?.request(Method::PUT, url);
    let head = request.body(serde_json::to_vec(answer)?).send_for_status().await?;
    if head.status.is_success() {
        return Ok(());
    }
    Err(Error::internal(format!("CloudFormation's URL answered {}", head.status)))
}
