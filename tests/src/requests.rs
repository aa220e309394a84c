//! Records the requests that a client of DynamoDB sends.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use serde_json::Value;

/// The sent requests: operation and body.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<Mutex<Vec<(String, Value)>>>);

impl Requests {
    /// The requests since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// Forgets the requests that were sent so far.
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().map(serde_json::from_slice).transpose()?;
        self.0.lock().unwrap().push((operation, body.unwrap_or_default()));
        Ok(())
    }
}
