//! The AWS configuration of all clients, and connections that are opened at cold start.
//!
//! **Guarantees.** Every call has a time-out, which depends on its kind: see [`Calls`]. The SDK makes up
//! to three attempts with full jitter. There is no second layer of retries: the SDK does not retry a
//! write that conflicts with another write; [`conflict`](crate::conflict) does. A connection that died
//! while the environment was frozen costs one of the three attempts; the call does not fail.
//!
//! ```no_run
//! # async fn example() {
//! let aws = shared::aws::load().await;
//! let client = aws_sdk_dynamodb::Client::new(&aws);
//! shared::aws::connect(&client).await; // opens the TLS connection now
//! # }
//! ```

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// The maximum time to open a connection, for a call and for a cold start. A cold start continues
/// without a connection.
const CONNECT_TIME: Duration = Duration::from_secs(1);

/// Loads the configuration from the environment. Call it once, at cold start.
///
/// The SDK ends a response body that sends no data for about 6 s. No time-out limits the total time of
/// a response body: the code that reads the body sets its own.
pub async fn load() -> SdkConfig {
    loader().load().await
}

/// The loader that [`load`] uses, for a test that replaces AWS with its own server.
#[must_use]
pub fn loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(Calls::Quick.timeouts())
        .retry_config(retries())
}

/// A kind of call, with its time-outs. All kinds have 1 s to connect.
///
/// The SDK merges the time-outs of an operation with those of its client, field by field: an unset
/// field keeps the client's value. So [`timeouts`](Self::timeouts) sets or disables every field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// 3 s for each attempt, 8 s in total: less than 10 s, the shortest time-out of a function. The
    /// default of [`load`]: for DynamoDB, SQS, parameters, secrets, and quick calls to S3.
    Quick,
    /// 20 s for each attempt, 25 s in total: less than 29 s, the longest time-out of an HTTP function.
    /// For calls that S3 answers after it has read or written a file: `PutObject`,
    /// `CompleteMultipartUpload`.
    Transfer,
    /// 60 s for each attempt, 100 s in total. For copies within S3, in a function with a longer time-out.
    Copy,
}

impl Calls {
    /// The time-outs of this kind of call. Every field is set or disabled.
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

/// Opens a client's connection at cold start, so that the first request does not wait for it. Lambda
/// gives the initialisation of an environment a full processor.
///
/// It sends `GET /`, which DynamoDB answers without credentials or permissions. A failure is ignored.
pub async fn connect(client: &aws_sdk_dynamodb::Client) {
    let request = client
        .describe_endpoints()
        .customize()
        .config_override(
            aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled()),
        )
        .interceptor(AskForRoot)
        .send();
    // The response does not parse as one to `DescribeEndpoints`. Any response means an open connection.
    let _ = tokio::time::timeout(CONNECT_TIME, request).await;
}

/// Changes any request to `GET /` without credentials.
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
