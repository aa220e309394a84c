//! The provider's webhooks. Each has the header `Stripe-Signature: t=<seconds>,v1=<hex>`, an HMAC-SHA-256
//! of `<seconds>.<body>` under a shared secret
//! (<https://docs.stripe.com/webhooks#verify-manually>).
//!
//! A webhook only names an order that may have changed. A worker then reads the state from the provider.
//! So a webhook that comes early, late, twice, out of order or never does no harm.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::stripe::ORDER;
use crate::order::PaymentId;
use crate::queues::Advance;

/// The maximum difference between a signature's time and our clock. It limits replays of a recorded
/// webhook. Stripe's libraries use 5 minutes.
const TOLERANCE: Duration = Duration::from_mins(5);

/// The prefixes of the event types for refunds and disputes. Their objects name the payment. Disputes, and
/// refunds that somebody made at the provider, do not name the order.
const MONEY_BACK: [&str; 4] = ["refund.", "charge.refund.", "charge.refunded", "charge.dispute."];

/// Why a webhook is rejected. It goes to the log only; the sender does not get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The header is missing or malformed.
    #[error("no signature")]
    Malformed,
    /// The signature's time is too far in the past or in the future.
    #[error("the signature's time is out of tolerance")]
    Stale,
    /// The signature does not match our secret and this body.
    #[error("the signature does not match")]
    Forged,
}

/// Checks that the provider signed `body`, at most 5 minutes before or after `now`.
pub fn verify(
    header: &str,
    body: &[u8],
    secret: &SecretString,
    now: Timestamp,
) -> Result<(), Rejected> {
    let (mut time, mut signatures) = (None, Vec::new());
    for (name, value) in header.split(',').filter_map(|part| part.split_once('=')) {
        match name.trim() {
            "t" => time = Some(value),
            "v1" => signatures.push(value),
            _ => {}
        }
    }
    let time = time.ok_or(Rejected::Malformed)?;
    let at = time.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.ok_or(Rejected::Malformed)?;
    let distance = Duration::try_from(now.duration_since(at).abs()).unwrap_or(Duration::MAX);
    if distance > TOLERANCE {
        return Err(Rejected::Stale);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let signed = [time.as_bytes(), b".", body].concat();
    // One match of several is enough: during a rotation the provider signs with both secrets. The comparison
    // takes constant time.
    let is_ours = |signature: &str| {
        decoded(signature).is_some_and(|tag| hmac::verify(&key, &signed, &tag).is_ok())
    };
    signatures.iter().find(|signature| is_ours(signature)).map(|_| ()).ok_or(Rejected::Forged)
}

/// The job for a webhook: the order of a payment, or the payment of a refund or a dispute. `None` if the
/// webhook concerns none of our orders.
#[must_use]
pub fn job_for(body: &[u8]) -> Option<Advance> {
    #[derive(Deserialize)]
    struct Notification {
        #[serde(rename = "type", default)]
        kind: String,
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        object: Object,
    }
    #[derive(Deserialize)]
    struct Object {
        #[serde(default)]
        metadata: Option<HashMap<String, String>>,
        #[serde(default)]
        payment_intent: Option<PaymentId>,
    }
    let Notification { kind, data: Data { object } } = serde_json::from_slice(body).ok()?;
    if MONEY_BACK.iter().any(|begin| kind.starts_with(begin)) {
        return object.payment_intent.map(|payment| Advance::V2 { payment });
    }
    let order = object.metadata?.get(ORDER)?.parse().ok()?;
    Some(Advance::V1 { order })
}

fn decoded(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks_exact(2);
    if !digits.remainder().is_empty() {
        return None;
    }
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = br#"{"data":{"object":{"metadata":{}}}}"#;

    fn sign(seconds: i64, body: &[u8], secret: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, &[format!("{seconds}.").as_bytes(), body].concat());
        tag.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn secret() -> SecretString {
        "whsec_ours".into()
    }

    #[test]
    fn a_signature_is_valid_for_five_minutes_before_and_after_its_time() {
        let header = format!("t=1000,v1={}", sign(1000, BODY, "whsec_ours"));
        for (now, verdict) in [
            (1000, Ok(())),
            (1300, Ok(())),
            (700, Ok(())),
            (1301, Err(Rejected::Stale)),
            (699, Err(Rejected::Stale)),
        ] {
            assert_eq!(verify(&header, BODY, &secret(), at(now)), verdict, "{now}");
        }
    }

    #[test]
    fn a_wrong_signature_is_rejected() {
        let good = sign(1000, BODY, "whsec_ours");
        let check = |header: &str, body: &[u8]| verify(header, body, &secret(), at(1000));
        let header = format!("t=1000,v0=00,v1={},v1={good}", "00".repeat(32));
        assert_eq!(check(&header, BODY), Ok(()), "one of several");
        assert_eq!(check(&format!("t=1000,v1={good}"), b"{}"), Err(Rejected::Forged));
        assert_eq!(check(&format!("t=1001,v1={good}"), BODY), Err(Rejected::Forged));
        let other = sign(1000, BODY, "whsec_other");
        assert_eq!(check(&format!("t=1000,v1={other}"), BODY), Err(Rejected::Forged));
        for header in ["", "t=1000", "v1=00", &format!("t=x,v1={good}"), "t=99999999999999,v1=00"] {
            assert!(check(header, BODY).is_err(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_random_header_is_rejected(header in ".*") {
            prop_assert!(verify(&header, BODY, &secret(), at(1000)).is_err());
        }
    }
}
