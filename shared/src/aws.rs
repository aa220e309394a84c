//! The AWS configuration that every client is made from, and connections that are open before they
//! are needed.
//!
//! **Guarantees.** Every call has a time-out, by its kind: see [`Calls`]. It is tried up to three times
//! with full jitter, and there is no second layer of retries: a write that conflicts with another is not
//! sent again by the SDK but by [`conflict`](crate::conflict). A connection that has died while the
//! environment was frozen costs one of the three tries, and not the call.
//!
//! ```no_run
//! # async fn example() {
//! let aws = shared::aws::load().await;
//! let client = shared::aws::dynamodb(&aws).await; // TLS is negotiated now, not in the first request
//! # }
//! ```

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// The longest that a call waits for a connection, and a cold start, which goes on without one.
const CONNECT_TIME: Duration = Duration::from_secs(1);

/// Loads the configuration from the environment: once, at cold start.
///
/// The SDK ends a response body that stands still, after some 6 s. How long one takes in all is in no
/// time-out: who reads a body sets its own.
pub async fn load() -> SdkConfig {
    loader().load().await
}

/// What [`load`] loads with, for a test that has a server of its own in the place of AWS.
#[must_use]
pub fn loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(Calls::Quick.timeouts())
        .retry_config(retries())
}

/// A kind of call, which decides how long one may take. All kinds connect in 1 s.
///
/// The SDK merges the time-outs of an operation with those of its client, field by field: a field that
/// is left unset keeps the client's. So [`timeouts`](Self::timeouts) sets or disables every field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// 3 s for each try, 8 s in all: under the 10 s that the shortest function is given. For all that
    /// [`load`] configures: DynamoDB, SQS, parameters, secrets, and what S3 answers at once.
    Quick,
    /// 20 s for each try, 25 s in all: under the 29 s that the longest function over HTTP is given. For
    /// what S3 answers when it has read or written a file: `PutObject`, `CompleteMultipartUpload`.
    Transfer,
    /// 60 s for each try, 100 s in all. For copies within S3, in a function with more time than that.
    Copy,
}

impl Calls {
    /// The time-outs of such a call, every field of them.
    #[must_use]
    pub fn timeouts(self) -> TimeoutConfig {
        let (attempt, operation) = match self {
            Self::Quick => (3, 8),
            Self::Transfer => (20, 25),
            Self::Copy => (60, 100),
        };
        TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .disable_read_timeout()
            .operation_attempt_timeout(Duration::from_secs(attempt))
            .operation_timeout(Duration::from_secs(operation))
            .build()
    }
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}

/// A client for DynamoDB whose connection is open: see [`connect`].
pub async fn dynamodb(aws: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let client = aws_sdk_dynamodb::Client::new(aws);
    connect(&client).await;
    client
}

/// Opens a client's connection, at cold start: Lambda gives the initialisation of an environment a
/// whole processor, and the first request then finds the connection open.
///
/// It asks for `GET /`, which DynamoDB answers without credentials or permissions. Whatever comes of
/// it, the function goes on.
pub async fn connect(client: &aws_sdk_dynamodb::Client) {
    let asked = client
        .describe_endpoints()
        .customize()
        .config_override(
            aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled()),
        )
        .interceptor(AskForRoot)
        .send();
    // The answer is not one to `DescribeEndpoints`; that there is one is enough.
    let _ = tokio::time::timeout(CONNECT_TIME, asked).await;
}

/// Makes any request one for `GET /`, without credentials.
#[derive(Debug)]
struct AskForRoot;

impl Intercept for AskForRoot {
    fn name(&self) -> &'static str {
        "AskForRoot"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.set_method("GET")?;
        *request.body_mut() = "".into();
        for header in [
            "authorization",
            "x-amz-security-token",
            "x-amz-target",
            "content-type",
            "content-length",
        ] {
            request.headers_mut().remove(header);
        }
        Ok(())
    }
}
