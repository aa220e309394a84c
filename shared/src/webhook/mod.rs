//! Messages to servers of others, as [Standard Webhooks](https://www.standardwebhooks.com) has it:
//! `webhook-id`, `webhook-timestamp`, and `webhook-signature`, an HMAC-SHA256 of both and the body.
//!
//! **Guarantees.**
//!
//! - Nothing is posted into a private network, and a post ends within [`MAX_TIME`]:
//!   [`outbound`](crate::outbound).
//! - A receiver can tell that a message is ours and new. A message has the same id however often it is
//!   sent, so a receiver can tell that it has had it before. It may be sent more than once.
//! - Secrets overlap. A new secret signs first, and each old one signs beside it for [`OVERLAP`].
//! - A receiver that answers 429 or 503 with `Retry-After` is posted to after that time, from 1 s to 1 h.
//! - An endpoint is disabled when its receiver answers 410, at once; and when a message is given up and no
//!   delivery has succeeded for [`FAILING_FOR`]. Then nothing more is posted, the log has an error, the
//!   metric `WebhooksDisabled` counts it, and the owner sees `disabled`. To put the endpoint again enables
//!   it: see [`Webhook::put_again`].
//! - The log has one item for each message to an endpoint, for [`KEPT`] after its last change. `delivered`
//!   is final until the message is sent again on demand. A message that is not posted because the endpoint
//!   is disabled is `given_up` in the log.
//! - A message can be sent again on demand as long as the log has it and the system still has what it
//!   told of.
//! - A job that comes twice, late, or after a crash at any point leaves the endpoint and the log right.
//!   Two jobs of one message at once are harmless: the message is posted twice under one id.
//!
//! The system keeps the endpoint as the attribute `webhook` of an item of its own, and gives the message
//! of a job through [`Source`]; [`Deliver::job`] does the rest.
//!
//! ```no_run
//! use serde::{Deserialize, Serialize};
//! use shared::table::Table;
//! use shared::webhook::{Deliver, Job, Message, Place, Source, Store};
//! use shared::{Result, batch};
//!
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! struct About {
//!     parcel: u64,
//! }
//!
//! struct Parcels;
//!
//! impl Source for Parcels {
//!     type About = About;
//!
//!     async fn find(&self, about: &About) -> Result<Option<(Place, Message)>> {
//!         let place = Place {
//!             endpoint: ("SHOP".into(), "SETTINGS".into()),
//!             deliveries: "DELIVERIES".into(),
//!         };
//!         let message = Message {
//!             id: format!("msg_{}", about.parcel),
//!             kind: "parcel.sent".into(),
//!             created_at: "2026-11-30T10:00:00Z".parse()?,
//!             body: r#"{"type": "parcel.sent"}"#.into(),
//!         };
//!         Ok(Some((place, message)))
//!     }
//! }
//!
//! async fn run(deliver: Deliver, job: batch::Message<Job<About>>) -> Result<(), batch::Failure> {
//!     deliver.job(&Parcels, job, 8).await
//! }
//! ```
//!
//! | a job finds | and does |
//! |---|---|
//! | nothing to tell, or no endpoint | nothing; `given_up` if the log has the message |
//! | that it is delivered, or that a later job is in charge | nothing |
//! | a disabled endpoint | `given_up`, with the error `disabled` |
//! | 2xx | `delivered`; forgets since when deliveries failed |
//! | 410 | `given_up`, and disables the endpoint |
//! | another status, or none | `pending`, and comes again; the last time `given_up`, and goes to the dead-letter queue |
//!
//! A job is version 1 when a message is sent first, and names what the system needs; one on demand is
//! version 2, and names the delivery besides. What an attempt that crashed between the post and the log has
//! posted is not counted in `attempts`.
//!
//! **Cost.** A delivery: 1 RRU for the endpoint, 1 for the log, 1 for the endpoint once more, 1 WRU for the
//! log, and what the system reads. The first failure and the first success after it: 1 WRU more each.
//!
//! A secret must be at hand to sign, so it is not hashed: DynamoDB encrypts it at rest. Here it is a
//! [`SecretString`](secrecy::SecretString), which no log prints. A rotation's answer, which has the secret,
//! is kept for 24 h with the idempotency record.

mod courier;
mod deliver;
mod delivery;
mod endpoint;
mod owner;
mod store;

pub use self::courier::{Courier, MAX_TIME};
pub use self::deliver::{Deliver, Job, Message, Source, TIME_LIMIT};
pub use self::delivery::{Delivery, DeliveryId, InvalidDeliveryId, KEPT, LastAttempt, Outcome};
pub use self::endpoint::{
    Disabled, FAILING_FOR, MAX_OLD_SECRETS, OVERLAP, Reason, SECRET_BYTES, SECRET_PREFIX, Webhook,
    new_secret,
};
pub use self::owner::{Deliveries, Shown, State};
pub use self::store::{Place, Store};
pub use crate::outbound::Unsafe;
