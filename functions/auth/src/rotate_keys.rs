//! Rotates the keys: on a schedule, and at an operator's command.
//!
//! **Guarantees.** A rotation refuses no token that is valid: the new key is published before it signs, and the old
//! one stays published until its last token has expired. An emergency rotation ends all tokens: access tokens
//! within two minutes (a minute until all functions have read the keys, and a minute for which API Gateway keeps a
//! decision), and refresh tokens within one. While Secrets Manager does not answer, it is a minute more.
//! Second factors stay: their key is never replaced.
//!
//! A run that crashes before it has stored the private keys has changed nothing that signs. After that, the old
//! keys of an emergency are gone for good, and the next run of any kind publishes the new ones.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::clock::Clock;
use shared::id::Ids;
use shared::lease::Lease;
use shared::program::Environment;
use shared::{Error, Result};

use crate::keys::{PrivateKeys, PublicKeys};
use crate::store::{Rotation, Users};
use crate::system;

/// The longest run: the time-out in the template.
const LONGEST: Duration = Duration::from_mins(1);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = RotateKeys {
        private: system::private_keys(environment)?,
        public: system::public_keys(environment)?,
        users: system::users(environment)?,
        clock: environment.clock.clone(),
        ids: environment.ids(),
    };
    shared::invocation::run(async |request: Value, _| task.handle(&request).await).await
}

/// The task's dependencies.
#[derive(Clone, Debug)]
pub struct RotateKeys {
    /// The secret of the private keys.
    pub private: PrivateKeys,
    /// The secret of the public keys.
    pub public: PublicKeys,
    /// The table with the lease: one rotation runs at a time.
    pub users: Users,
    /// The clock.
    pub clock: Clock,
    /// Creates ids.
    pub ids: Ids,
}

/// The event. An unknown field is an error, so that a misspelt emergency is not a rotation like any other.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    /// All tokens end at once.
    #[serde(default)]
    emergency: bool,
}

impl RotateKeys {
    /// Rotates the keys.
    ///
    /// # Errors
    /// When another rotation runs, or the keys cannot be read or written.
    pub async fn handle(&self, request: &Value) -> Result<()> {
        let Request { emergency } = Request::deserialize(request)?;
        let (now, attempt) = (self.clock.now(), self.ids.next());
        if !self.users.claim_keys(Lease { attempt, until: now + LONGEST }, now).await? {
            return Err(Error::internal("another rotation of the keys runs"));
        }
        let rotated = if emergency { self.replace(now).await } else { self.rotate(now).await };
        let rotation = rotated.is_ok().then_some(Rotation { at: now, emergency });
        self.users.release_keys(attempt, rotation).await?;
        rotated?;
        tracing::warn!(emergency, "rotated the keys");
        Ok(())
    }

    /// Adds a key. It is published first, so that no key signs that is not published.
    async fn rotate(&self, now: Timestamp) -> Result<()> {
        let ring = self.private.current().await?.rotated(now)?;
        self.public.put(&ring.public()?).await?;
        self.private.put(&ring, None).await
    }

    /// Replaces all keys but that of second factors. The private ones are stored first, so that no later run publishes the
    /// old ones again.
    async fn replace(&self, now: Timestamp) -> Result<()> {
        let ring = self.private.current().await?.replaced(now)?;
        self.private.put(&ring, None).await?;
        self.public.put(&ring.public()?).await
    }
}
