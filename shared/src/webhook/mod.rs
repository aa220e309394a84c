//! Messages to external servers, in the format of [Standard Webhooks](https://www.standardwebhooks.com):
//! `webhook-id`, `webhook-timestamp`, and `webhook-signature`, an HMAC-SHA256 of both and the body.
//!
//! **Guarantees.**
//!
//! - No message is posted to a private network, and a request ends within [`MAX_TIME`]:
//!   [`outbound`](crate::outbound).
//! - A receiver can verify that a message is ours and recent. A message may be sent more than once, always
//!   with the same id, so that a receiver recognises a duplicate.
//! - Secrets overlap. The new secret's signature is first, and each old secret signs too for [`OVERLAP`].
//! - After a 429 or 503 with `Retry-After`, the next attempt waits that time, limited to 1 s to 1 h.
//! - An endpoint is disabled immediately when its receiver answers 410, and when a message is given up and
//!   no delivery has succeeded for [`FAILING_FOR`]. Then no message is posted, the log has an error, the
//!   metric `WebhooksDisabled` counts it, and the owner sees `disabled`. The owner enables the endpoint by
//!   putting it again: see [`put`].
//! - The log has one item for each message to an endpoint, for [`KEPT`] after its last change. `delivered`
//!   is final until the message is sent again on demand. A message that is not posted because the endpoint
//!   is disabled is `given_up` in the log.
//! - A message can be sent again on demand as long as the log and the system still have its data.
//! - A job that is delivered twice, late, or again after a crash at any point leaves the endpoint and the
//!   log correct. The queue must deliver a job a few times more than the attempts, for a crash of the last. Two concurrent jobs of one message are harmless: the message is posted twice with one id.
//!
//! The system keeps the endpoint as the attribute `webhook` of one of its items, and provides the message
//! of a job through [`Source`]. [`Deliver::job`] does the rest.
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
//! | a job finds | result |
//! |---|---|
//! | no endpoint | none; `given_up` if the log has the message |
//! | no message, for a resend | `given_up`, with the error `message_gone` |
//! | no message, for a first delivery | none: the log keeps what it has, as the job does not name the message |
//! | the message is delivered, or there is a later job | none |
//! | a disabled endpoint | `given_up`, with the error `disabled` |
//! | 2xx | `delivered`; clears `failing_since` of the endpoint |
//! | 410 | `given_up`; disables the endpoint. Retried, if the endpoint was put again since |
//! | another status, or no response | `pending` and retried; after the last attempt `given_up`, and the job goes to the dead-letter queue |
//!
//! The job of a first delivery is version 1 and contains the system's reference to the message. The job of
//! a resend is version 2 and also contains the delivery. If an attempt crashes between the request and the
//! write of the log, `attempts` does not count the request.
//!
//! **Cost.** A delivery: 2 RRU for the endpoint, which is read twice, 1 RRU and 1 WRU for the log, and the
//! system's own reads. The first failure and the first success after it: 1 WRU more each.
//!
//! Signing needs the secret, so it is not hashed. DynamoDB encrypts it at rest. In memory it is a
//! [`SecretString`](secrecy::SecretString), which no log prints. The response of a rotation contains the
//! secret and is kept for 24 h with the idempotency record.

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
    Disabled, FAILING_FOR, MAX_OLD_SECRETS, OVERLAP, Reason, SECRET_BYTES, SECRET_PREFIX,
    TOO_MANY_SECRETS, Webhook, new_secret,
};
pub use self::owner::{
    Deliveries, INVALID_WEBHOOK, NewSecret, Shown, State, WEBHOOK_DISABLED, put,
};
pub use self::store::{Place, Store};
pub use crate::outbound::Unsafe;
