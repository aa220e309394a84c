//! The HTTP endpoints.

pub mod cancel;
pub mod complete_upload;
pub mod create_upload;
pub mod delete;
mod extracted;
pub mod get;
pub mod get_settings;
pub mod list;
pub mod list_deliveries;
pub mod patch_settings;
pub mod put_schema;
pub mod put_settings;
pub mod resend_delivery;
pub mod rotate_secret;
mod settings_fields;
pub mod upload_parts;
mod view;

use shared::http::contract::{self, Operation};
use shared::scopes::{DocumentsRead as Read, DocumentsWrite as Write};

pub use view::View;

use crate::deliver_webhook::ENDS;

/// The endpoints' part of the contract.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        cancel::operation(),
        complete_upload::operation(),
        create_upload::operation(),
        delete::operation(),
        get::operation(),
        get_settings::operation(),
        list::operation(),
        list_deliveries::operation(),
        patch_settings::operation(),
        put_schema::operation(),
        put_settings::operation(),
        resend_delivery::operation(),
        rotate_secret::operation(),
        upload_parts::operation(),
    ]
}

/// The webhooks that a tenant receives.
#[must_use]
pub fn webhooks() -> Vec<Operation> {
    ENDS.map(|(_, kind, summary)| contract::webhook::<View>("documents", kind, summary)).into()
}
