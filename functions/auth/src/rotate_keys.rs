//! Rotates the keys: on a schedule, and at an operator's command.
//!
//! **Guarantees.** A rotation refuses no token that is valid: the new key is published before it signs, and the old
//! one stays published until its last token has expired. An emergency rotation refuses all tokens: access tokens
//! within two minutes, when the last authorizer has read the keys again, and refresh tokens as soon. A run that
//! crashes leaves keys that work, and the next run completes it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use shared::clock::Clock;
use shared::id::Ids;
use shared::lease::Lease;
use shared::program::Environment;
use shared::{Error, Result};

use crate::keys::{KeyRing, PrivateKeys, PublicKeys};
use crate::store::Users;
use crate::system;

/// The longest run: the time-out in the template.
const LONGEST: Duration = Duration::from_secs(30);

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

/// The event. A schedule sends more fields, and not this one.
#[derive(Debug, Default, Deserialize)]
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
        let before = self.private.current().await?;
        let ring = if emergency { KeyRing::generate(now)? } else { before.rotated(now)? };
        // First: no key signs that is not published. In an emergency, this ends all access tokens.
        self.public.put(&ring.public()?).await?;
        self.private.put(&ring, None).await?;
        tracing::warn!(emergency, keys = ring.signing().len(), "rotated the keys");
        self.users.release_keys(attempt).await
    }
}
