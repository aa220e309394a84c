//! The AWS configuration that every client is made from.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// Loads the configuration from the environment: once, at cold start.
///
/// A call is tried up to three times with full jitter, each try for at most 3 s and all of them for
/// at most 8 s, which is under the 10 s that the shortest function is given. The time that a
/// response body takes to arrive is not in it: who reads a body sets its own limit.
pub async fn load() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .load()
        .await
}
