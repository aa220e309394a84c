//! The answer before [`LISTED`](super::LISTED). It goes when no version that is served has it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, HistoryEntry, Listed, View};
use crate::order::{Dispute, FoundRefund};

/// An order with its history, before version 2026-12-01.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderWithHistoryBefore20261201)]
pub(super) struct FormerAnswer {
    #[serde(flatten)]
    order: View,
    /// The client secret, with which the customer's browser completes 3-D Secure.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_client_secret: Option<String>,
    /// The events, oldest first.
    #[schema(min_items = 1)]
    history: Vec<FormerEntry>,
    /// Further records of the provider. Only for admins.
    #[serde(flatten)]
    admin_details: Option<FormerDetails>,
}

/// What only admins see of an order, before version 2026-12-01.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminDetailsBefore20261201)]
struct FormerDetails {
    /// Refunds at the provider that we did not request, by the provider's id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    found_refunds: BTreeMap<String, FoundRefund>,
    /// Disputes, by the provider's id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    disputes: BTreeMap<String, Dispute>,
}

/// An event of an order, before version 2026-12-01.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderEventBefore20261201)]
struct FormerEntry {
    /// The number of the event, from 1.
    version: u32,
    /// The event's time.
    at: Timestamp,
    /// The event's name, such as `placed`.
    event: &'static str,
    /// The provider's code, for a decline or a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl From<Answer> for FormerAnswer {
    fn from(answer: Answer) -> Self {
        let entry = |HistoryEntry { number, at, event, code }| FormerEntry {
            version: number,
            at,
            event,
            code,
        };
        Self {
            order: answer.order,
            payment_client_secret: answer.payment_client_secret,
            history: answer.history.into_iter().map(entry).collect(),
            admin_details: answer.admin_details.map(|details| FormerDetails {
                found_refunds: by_id(details.found_refunds),
                disputes: by_id(details.disputes),
            }),
        }
    }
}

fn by_id<T>(records: Vec<Listed<T>>) -> BTreeMap<String, T> {
    records.into_iter().map(|Listed { id, record }| (id, record)).collect()
}
