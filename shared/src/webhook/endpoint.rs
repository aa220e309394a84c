use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use ulid::Ulid;
use utoipa::ToSchema;

use crate::problem::{Problem, ProblemType};
use crate::{Error, Result};

/// Length of a secret, in bytes.
pub const SECRET_BYTES: usize = 32;
/// The prefix that identifies a secret.
pub const SECRET_PREFIX: &str = "whsec_";
/// How long an old secret signs together with the new one.
pub const OVERLAP: Duration = Duration::from_hours(24);
/// How long all deliveries must fail before the endpoint is disabled.
pub const FAILING_FOR: Duration = Duration::from_hours(5 * 24);
/// Maximum number of old secrets that sign at the same time.
pub const MAX_OLD_SECRETS: usize = 4;
/// 409: [`MAX_OLD_SECRETS`] old secrets sign already.
pub const TOO_MANY_SECRETS: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "too-many-secrets", "The secret was changed too often");

/// An endpoint as stored: the attribute `webhook` of an item of the system.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Webhook {
    /// The URL of the receiver.
    pub url: String,
    /// The secret that signs the messages, in base 64. The receiver has it too.
    #[serde(serialize_with = "exposed")]
    pub secret: SecretString,
    /// The old secrets, which sign too for a limited time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) old_secrets: Vec<OldSecret>,
    /// Distinguishes this endpoint from earlier ones with the same key. Absent in items of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) generation: Option<String>,
    /// The time of the first failed delivery since the last success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failing_since: Option<Timestamp>,
    /// When the endpoint was disabled because all deliveries failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed_at: Option<Timestamp>,
    /// When the endpoint was disabled because the receiver answered 410 (Gone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gone_at: Option<Timestamp>,
}

/// An old secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OldSecret {
    #[serde(serialize_with = "exposed")]
    secret: SecretString,
    /// The time until which it signs.
    until: Timestamp,
}

/// When and why an endpoint was disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WebhookDisabled)]
pub struct Disabled {
    /// The time.
    pub at: Timestamp,
    /// The reason.
    pub reason: Reason,
}

/// Why an endpoint is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookDisabledReason)]
pub enum Reason {
    /// The receiver answered 410.
    Gone,
    /// No delivery has succeeded for 5 days.
    Failing,
}

/// For the table only.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl PartialEq for OldSecret {
    fn eq(&self, other: &Self) -> bool {
        self.secret.expose_secret() == other.secret.expose_secret() && self.until == other.until
    }
}

impl Eq for OldSecret {}

impl PartialEq for Webhook {
    fn eq(&self, other: &Self) -> bool {
        // Lists every field, so that the compiler reports a new one.
        let Self { url, secret, old_secrets, generation, failing_since, failed_at, gone_at } = self;
        *url == other.url
            && secret.expose_secret() == other.secret.expose_secret()
            && *old_secrets == other.old_secrets
            && *generation == other.generation
            && *failing_since == other.failing_since
            && *failed_at == other.failed_at
            && *gone_at == other.gone_at
    }
}

impl Eq for Webhook {}

impl Webhook {
    /// A webhook at `url`, with a new secret.
    ///
    /// # Errors
    /// When the system's random source fails.
    pub fn at(url: String) -> Result<Self> {
        Ok(Self::signed_by(url, random_secret()?))
    }

    /// A webhook at `url` with this secret.
    #[must_use]
    pub fn signed_by(url: String, secret: SecretString) -> Self {
        Self {
            url,
            secret,
            old_secrets: Vec::new(),
            generation: Some(Ulid::generate().to_string()),
            failing_since: None,
            failed_at: None,
            gone_at: None,
        }
    }

    /// When and why the endpoint was disabled; `None` if it is enabled.
    #[must_use]
    pub fn disabled(&self) -> Option<Disabled> {
        let gone = self.gone_at.map(|at| Disabled { at, reason: Reason::Gone });
        gone.or(self.failed_at.map(|at| Disabled { at, reason: Reason::Failing }))
    }

    /// The endpoint after its owner puts `url`. Unchanged, if the URL is the same and the endpoint is
    /// enabled. Enabled with the same secret, if it was disabled because its deliveries failed. `None` for
    /// another URL or after a 410: then the caller creates an endpoint with a new secret.
    #[must_use]
    pub(super) fn put_again(&self, url: &str) -> Option<Self> {
        if self.url != url || self.gone_at.is_some() {
            return None;
        }
        if self.failed_at.is_none() {
            return Some(self.clone());
        }
        let enabled = Self::signed_by(self.url.clone(), self.secret.clone());
        Some(Self { old_secrets: self.old_secrets.clone(), ..enabled })
    }

    /// The endpoint with a new secret. The old secrets sign too, for [`OVERLAP`].
    ///
    /// # Errors
    /// 409 when [`MAX_OLD_SECRETS`] already sign; when the system's random source fails.
    pub fn rotated(&self, now: Timestamp) -> Result<Self> {
        let mut old_secrets: Vec<_> =
            self.old_secrets.iter().filter(|old| now < old.until).cloned().collect();
        if old_secrets.len() >= MAX_OLD_SECRETS {
            return Err(Problem::of(TOO_MANY_SECRETS)
                .detail(format!(
                    "Up to {MAX_OLD_SECRETS} old secrets sign at once, for a day each."
                ))
                .into());
        }
        old_secrets.push(OldSecret { secret: self.secret.clone(), until: now + OVERLAP });
        Ok(Self { secret: random_secret()?, old_secrets, ..self.clone() })
    }

    /// The time until which an old secret signs too, if there is one.
    #[must_use]
    pub fn secret_overlaps_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.old_secrets.iter().map(|old| old.until).filter(|until| now < *until).max()
    }

    /// The signatures of a message, separated by spaces, the newest secret's first:
    /// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
    pub(super) fn signatures(&self, id: &str, body: &str, now: Timestamp) -> Result<String> {
        let old = self.old_secrets.iter().rev().filter(|old| now < old.until);
        let secrets = std::iter::once(&self.secret).chain(old.map(|old| &old.secret));
        let sign = |secret: &SecretString| sign(secret.expose_secret(), id, now.as_second(), body);
        Ok(secrets.map(sign).collect::<Result<Vec<_>>>()?.join(" "))
    }
}

fn random_secret() -> Result<SecretString> {
    let mut random = [0; SECRET_BYTES];
    rand::fill(&mut random).map_err(|_| Error::internal("no randomness"))?;
    Ok(new_secret(random).into())
}

/// A new secret, in the form that the receiver gets.
#[must_use]
pub fn new_secret(random: [u8; SECRET_BYTES]) -> String {
    format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(random))
}

fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Result<String> {
    let secret = BASE64_STANDARD.decode(secret.trim_start_matches(SECRET_PREFIX))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", BASE64_STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_signature_matches_the_standard() {
        // The example of the specification's reference libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let webhook = Webhook::signed_by("https://1.1.1.1/".into(), secret.into());
        let now = Timestamp::from_second(1_614_265_330).unwrap();
        let signed =
            webhook.signatures("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#, now);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let webhook = Webhook::at("https://1.1.1.1/".into()).unwrap();
        let webhook = webhook.rotated(at("2026-11-30T10:00:00Z")).unwrap();
        let text = format!("{webhook:?}");
        assert!(!text.contains(webhook.secret.expose_secret()), "{text}");
        assert!(!text.contains(SECRET_PREFIX), "{text}");
        let stored = serde_json::to_value(&webhook).unwrap();
        assert_eq!(serde_json::from_value::<Webhook>(stored).unwrap(), webhook);
    }

    #[test]
    fn items_of_earlier_versions_are_read() {
        let stored = json!({"url": "https://1.1.1.1/", "secret": "whsec_MfKQ9r8GKYqrTwjU"});
        let webhook: Webhook = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!((webhook.disabled(), webhook.generation.as_deref()), (None, None));
        assert_eq!(serde_json::to_value(&webhook).unwrap(), stored);

        let gone_at = "2026-11-30T10:00:00Z";
        let mut stored = stored;
        stored["gone_at"] = json!(gone_at);
        let webhook: Webhook = serde_json::from_value(stored).unwrap();
        let gone = Disabled { at: at(gone_at), reason: Reason::Gone };
        assert_eq!(webhook.disabled(), Some(gone));
    }

    #[test]
    fn each_old_secret_signs_for_a_day_after_its_rotation() {
        let start = at("2026-11-30T10:00:00Z");
        let first = Webhook::at("https://1.1.1.1/".into()).unwrap();
        let second = first.rotated(start).unwrap();
        let hours = |hours| start + Duration::from_hours(hours);
        let third = second.rotated(hours(12)).unwrap();
        assert_eq!(third.generation, first.generation);
        let signed = |webhook: &Webhook, now| {
            let text = webhook.signatures("msg", "{}", now).unwrap();
            text.split(' ').map(str::to_owned).collect::<Vec<_>>()
        };
        let of = |webhook: &Webhook, now| {
            let alone =
                Webhook::signed_by(webhook.url.clone(), webhook.secret.expose_secret().into());
            signed(&alone, now).remove(0)
        };
        for (now, signers) in [
            (hours(13), vec![&third, &second, &first]),
            (hours(24) - Duration::from_millis(1), vec![&third, &second, &first]),
            (hours(24), vec![&third, &second]),
            (hours(36), vec![&third]),
        ] {
            let expected: Vec<_> = signers.into_iter().map(|signer| of(signer, now)).collect();
            assert_eq!(signed(&third, now), expected, "{now}");
        }
        assert_eq!(third.secret_overlaps_until(hours(13)), Some(hours(36)));
        assert_eq!(third.secret_overlaps_until(hours(36)), None);
    }

    #[test]
    fn too_many_old_secrets_are_refused_and_expired_ones_are_dropped() {
        let now = at("2026-11-30T10:00:00Z");
        let mut webhook = Webhook::at("https://1.1.1.1/".into()).unwrap();
        for _ in 0..MAX_OLD_SECRETS {
            webhook = webhook.rotated(now).unwrap();
        }
        assert!(matches!(webhook.rotated(now), Err(Error::Problem(_))));
        assert_eq!(webhook.rotated(now + OVERLAP).unwrap().old_secrets.len(), 1);
    }

    #[test]
    fn putting_an_endpoint_again_enables_it() {
        let now = at("2026-11-30T10:00:00Z");
        let url = "https://1.1.1.1/";
        let first = Webhook::at(url.into()).unwrap().rotated(now).unwrap();
        assert_eq!(first.put_again(url).as_ref(), Some(&first));
        assert_eq!(first.put_again("https://1.1.1.1/other"), None);

        let gone = Webhook { gone_at: Some(now), ..first.clone() };
        assert_eq!(gone.put_again(url), None, "a new secret");

        let failing = Webhook { failing_since: Some(now), failed_at: Some(now), ..first.clone() };
        let enabled = failing.put_again(url).unwrap();
        assert_eq!((enabled.disabled(), enabled.failing_since), (None, None));
        assert_eq!(enabled.secret.expose_secret(), first.secret.expose_secret());
        assert_eq!(enabled.old_secrets, first.old_secrets);
        assert_ne!(enabled.generation, first.generation, "an earlier attempt does not disable it");
    }
}
