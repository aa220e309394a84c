//! Devices without a browser: a television or a command line shows a short code, the user types it on a phone, and the device
//! asks again and again for its tokens ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::second::required as seconds;
use serde::{Deserialize, Serialize};
use shared::id::{SessionId, UserId};
use shared::lease::AttemptId;

use super::application::ApplicationId;
use super::scope::Scopes;
use crate::random_token::{Kind, RandomToken};

/// How long both codes are good: a user finds a phone, and signs in on it.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// How long after it a device is told that its code has ended.
pub const REMEMBERED: Duration = Duration::from_hours(24);
/// The seconds that a device waits between two polls, and how many more after each poll that comes too soon.
pub const INTERVAL: u64 = 5;
/// The name of this way to get tokens.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The kind of these texts.
#[derive(Debug)]
pub enum OfDevice {}
impl Kind for OfDevice {
    const PREFIX: &'static str = "arsenal_dc_";
    const EXPECTED: &'static str =
        "it is the device_code of the answer with which the device began";
}
/// The code that only the device knows.
pub type DeviceCode = RandomToken<OfDevice>;

/// A device that asks for tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The application on the device.
    pub application: ApplicationId,
    /// What it asks for.
    pub scopes: Scopes,
    /// When both codes end, in seconds since 1970.
    #[serde(with = "seconds")]
    pub good_until: Timestamp,
    /// The seconds between two polls. Each poll that comes too soon makes it longer.
    pub poll_interval: u64,
    /// Before it, a poll comes too soon: in seconds since 1970. So a poll is never refused that comes after the whole
    /// interval, and may pass if it comes less than a second before.
    #[serde(with = "seconds")]
    pub next_poll: Timestamp,
    /// The last poll that came in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polled_by: Option<AttemptId>,
    /// What the user says. The first decision counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The session that the device code has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<SessionId>,
}

/// What a user says of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The user allows it.
    Allowed(Permission),
    /// The user does not.
    Denied,
}

/// What a user has allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// The user.
    pub user: UserId,
    /// The user's [`epoch`](crate::store::Account::epoch) at that time. In another one, the permission is good for nothing.
    pub epoch: u32,
    /// What the user has allowed.
    pub scopes: Scopes,
    /// When the user gave the password, in seconds since 1970.
    #[serde(with = "seconds")]
    pub signed_in_at: Timestamp,
}

/// How it stands with a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The user has not decided yet.
    Pending,
    /// The user has allowed it.
    Allowed(Permission),
    /// The user has not allowed it.
    Denied,
    /// The codes have ended before the device had tokens.
    Expired,
    /// The device code has begun a session.
    Used,
}

impl Device {
    /// A device that asks for these scopes at `now`.
    #[must_use]
    pub fn asking(application: ApplicationId, scopes: Scopes, now: Timestamp) -> Self {
        Self {
            application,
            scopes,
            good_until: now + LIFETIME,
            poll_interval: INTERVAL,
            next_poll: now,
            polled_by: None,
            decision: None,
            began: None,
        }
    }

    /// How it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match &self.decision {
            _ if self.began.is_some() => Standing::Used,
            _ if !self.is_good(now) => Standing::Expired,
            Some(Decision::Allowed(permission)) => Standing::Allowed(permission.clone()),
            Some(Decision::Denied) => Standing::Denied,
            None => Standing::Pending,
        }
    }

    /// Whether the codes have not ended at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        now.as_second() < self.good_until.as_second()
    }
}

#[cfg(test)]
mod tests {
    use shared::clock::Clock;
    use shared::id::Ids;

    use super::*;

    #[test]
    fn a_device_ends_to_the_second_whatever_the_user_says() {
        let now: Timestamp = "2026-11-30T10:00:00.7Z".parse().unwrap();
        let ids = Ids::random(Clock::manual(now));
        let mut device = Device::asking(ids.next(), Scopes::asked("openid"), now);
        let last = now + LIFETIME - Duration::from_secs(1);
        let scopes = device.scopes.clone();
        let permission = Permission { user: ids.next(), epoch: 0, scopes, signed_in_at: now };
        for (decision, standing) in [
            (None, Standing::Pending),
            (Some(Decision::Denied), Standing::Denied),
            (Some(Decision::Allowed(permission.clone())), Standing::Allowed(permission)),
        ] {
            device.decision = decision;
            assert_eq!(device.standing(last), standing);
            assert_eq!(device.standing(now + LIFETIME), Standing::Expired);
        }
        device.began = Some(ids.next());
        assert_eq!(device.standing(now), Standing::Used);
        assert_eq!(device.standing(now + LIFETIME), Standing::Used);
    }
}
