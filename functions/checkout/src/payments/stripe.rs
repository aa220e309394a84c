use std::collections::HashMap;
use std::time::Duration;

use reqwest::header::HeaderName;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::Error;
use shared::http::idempotency::IDEMPOTENCY_KEY;
use shared::outbound::{Answer, Limits, Outbound, Request};

use super::{MISCONFIGURED, Payment, PaymentError, Status, currency};
use crate::money::Money;
use crate::order::{OrderId, PaymentId};

/// Time limit of a request. It is shorter than a worker's lease, so that no request is in progress when
/// the next worker reads its outcome.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_TIME: Duration = Duration::from_secs(3);
/// Maximum size of a response, in bytes. Most have a few KiB; the largest is a page of 100 movements with
/// their sources.
const MAX_ANSWER: usize = 4 << 20;
/// Maximum length of a stored code or message, in characters.
const MAX_CODE: usize = 200;
/// The API version of this code, and the header for it.
const VERSION: (HeaderName, &str) =
    (HeaderName::from_static("stripe-version"), "2025-09-30.clover");
/// The field of a payment that contains the order's id.
pub(super) const ORDER: &str = "order_id";
/// Objects per page: Stripe's maximum.
pub(super) const PAGE: usize = 100;

/// Stripe, or a server with the same API.
#[derive(Clone, Debug)]
pub struct Stripe {
    http: Outbound,
    base_url: String,
    secret_key: SecretString,
}

#[derive(Deserialize)]
struct Intent {
    id: PaymentId,
    status: Status,
    amount: u64,
    currency: String,
    client_secret: Option<String>,
    last_payment_error: Option<Refusal>,
    amount_received: Option<u64>,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

#[derive(Deserialize)]
struct Refused {
    error: Refusal,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

impl Refusal {
    fn code(self) -> String {
        let code = self.decline_code.or(self.code).or(self.message);
        code.map_or_else(|| "unknown".into(), |code| code.chars().take(MAX_CODE).collect())
    }
}

impl Stripe {
    /// Stripe at `base_url`, `https://api.stripe.com`, with a secret key.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base_url: String, secret_key: SecretString) -> shared::Result<Self> {
        Self::within(TIME_LIMIT, base_url, secret_key)
    }

    /// The same client with another time limit for each request.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn within(
        limit: Duration,
        base_url: String,
        secret_key: SecretString,
    ) -> shared::Result<Self> {
        let limits = Limits { connect: CONNECT_TIME, total: limit, answer: MAX_ANSWER };
        Ok(Self { http: Outbound::unguarded(limits)?, base_url, secret_key })
    }

    /// Creates a payment. No money moves. Here and below, `key` is the request's idempotency key.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn create(
        &self,
        order: OrderId,
        total: Money,
        payment_method: &str,
        key: &str,
    ) -> Result<Payment, PaymentError> {
        let form = [
            ("amount", total.amount.to_string()),
            ("currency", total.currency.code().to_lowercase()),
            ("payment_method", payment_method.to_owned()),
            ("payment_method_types[]", "card".into()),
            ("capture_method", "manual".into()),
            (&*format!("metadata[{ORDER}]"), order.to_string()),
        ];
        let request = self.post("/v1/payment_intents", key).form(&form);
        self.payment(request).await
    }

    /// The state of a payment.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn retrieve(&self, payment: &PaymentId) -> Result<Payment, PaymentError> {
        let path = format!("/v1/payment_intents/{}", payment.0);
        self.payment(self.request(Method::GET, &path)).await
    }

    /// Authorises the payment: holds the money on the payment's payment method, or on `means` instead.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn confirm(
        &self,
        payment: &PaymentId,
        means: Option<&str>,
        key: &str,
    ) -> Result<Payment, PaymentError> {
        let Some(means) = means else { return self.act(payment, "confirm", key).await };
        let request = self.post(&format!("/v1/payment_intents/{}/confirm", payment.0), key);
        self.payment(request.form(&[("payment_method", means)])).await
    }

    /// Captures the held money.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn capture(&self, payment: &PaymentId, key: &str) -> Result<Payment, PaymentError> {
        self.act(payment, "capture", key).await
    }

    /// Cancels a payment and releases the held money.
    ///
    /// # Errors
    /// [`PaymentError`]
    pub async fn cancel(&self, payment: &PaymentId, key: &str) -> Result<Payment, PaymentError> {
        self.act(payment, "cancel", key).await
    }

    async fn act(
        &self,
        payment: &PaymentId,
        action: &str,
        key: &str,
    ) -> Result<Payment, PaymentError> {
        let path = format!("/v1/payment_intents/{}/{action}", payment.0);
        self.payment(self.post(&path, key)).await
    }

    pub(super) fn request(&self, method: Method, path: &str) -> Request {
        let request = self.http.request(method, &format!("{}{path}", self.base_url));
        request.bearer(&self.secret_key).header(VERSION.0, VERSION.1)
    }

    pub(super) fn post(&self, path: &str, key: &str) -> Request {
        self.request(Method::POST, path).header(IDEMPOTENCY_KEY, key)
    }

    async fn payment(&self, request: Request) -> Result<Payment, PaymentError> {
        let intent: Intent = self.send(request).await?;
        let order = intent.metadata.unwrap_or_default().remove(ORDER);
        Ok(Payment {
            order: order.and_then(|order| order.parse().ok()),
            received: intent.amount_received,
            id: intent.id,
            status: intent.status,
            amount: intent.amount,
            currency: currency(&intent.currency)?,
            client_secret: intent.client_secret,
            decline: intent.last_payment_error.map(Refusal::code),
        })
    }

    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<T, PaymentError> {
        let answer = request.send().await;
        let Answer { status, body, .. } =
            answer.map_err(|failure| PaymentError::Unknown(failure.into()))?;
        if status.is_success() {
            let content = serde_json::from_slice(&body);
            return content.map_err(|error| PaymentError::Unknown(error.into()));
        }
        // Another server, such as a proxy, sent this response. The payment's state is unknown.
        let Ok(Refused { error }) = serde_json::from_slice(&body) else {
            return Err(PaymentError::Unknown(Error::internal(status.to_string())));
        };
        let (kind, param) = (error.kind.clone(), error.param.clone());
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            metrics::counter!(MISCONFIGURED).increment(1);
        }
        let code = error.code().replace(self.secret_key.expose_secret(), "<the secret key>");
        let is_of = |expected: &str| kind.as_deref() == Some(expected);
        Err(match status {
            StatusCode::PAYMENT_REQUIRED => PaymentError::Declined(code),
            _ if status.is_client_error() && is_of("card_error") => PaymentError::Declined(code),
            // The next attempt uses another key.
            _ if is_of("idempotency_error") => {
                PaymentError::Unknown(Error::internal(format!("{status}: {code}")))
            }
            // 409: a request with the same key is in progress. 424: a system behind the provider failed.
            // 401 and 403: our configuration is wrong.
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::FAILED_DEPENDENCY
            | StatusCode::TOO_MANY_REQUESTS => {
                PaymentError::Unknown(Error::internal(format!("{status}: {code}")))
            }
            _ if status.is_client_error() => {
                PaymentError::Refused { status: status.as_u16(), code, param }
            }
            _ => PaymentError::Unknown(Error::internal(format!("{status}: {code}"))),
        })
    }
}
