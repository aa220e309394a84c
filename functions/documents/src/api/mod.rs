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

use shared::Result;
use shared::http::SignedIn;
use shared::http::contract::{self, Operation};
use shared::problem::Problem;
use shared::scopes::{DocumentsRead as Read, DocumentsWrite as Write};

pub use view::View;

use crate::deliver_webhook::ENDS;
use crate::document::{Document, DocumentId, Status};
use crate::store::Documents;

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

/// The document, if it is the user's own, in any status.
///
/// # Errors
/// 404 when there is none.
async fn own(documents: &Documents, user: &SignedIn, id: DocumentId) -> Result<Document> {
    let found = documents.get((user.user, id)).await?.filter(|found| user.owns(found));
    Ok(found.ok_or_else(|| Problem::not_found("document"))?)
}

/// The same, but for a document that is being deleted.
async fn visible(documents: &Documents, user: &SignedIn, id: DocumentId) -> Result<Document> {
    let found = own(documents, user, id).await?;
    if found.status == Status::Deleting {
        return Err(Problem::not_found("document").into());
    }
    Ok(found)
}
