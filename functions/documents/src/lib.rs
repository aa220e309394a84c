//! Documents: the PDF pipeline, from an untrusted upload to checked, structured data.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `documents-create-upload` | `POST /v1/documents`: creates a record, and a form or a multipart upload for one file | [`api::create_upload`] |
//! | `documents-upload-parts` | `GET …/{document_id}/parts`: lists the missing parts | [`api::upload_parts`] |
//! | `documents-complete-upload` | `POST …/{document_id}/parts/complete`: joins the parts | [`api::complete_upload`] |
//! | `documents-on-upload` | handles S3's event: a file was created | [`on_upload`] |
//! | `documents-validate` | checks that the file is a readable PDF that the tenant's policy allows | [`stages::validate`] |
//! | `documents-scan` | scans the file for malware | [`stages::scan`], [`scanner`] |
//! | `documents-on-malware-verdict` | handles GuardDuty's event: a file was scanned | [`on_malware_verdict`] |
//! | `documents-check-pdfa` | checks conformance to PDF/A | [`stages::pdfa`] |
//! | `documents-extract-text` | extracts the text, with positions | [`stages::text`] |
//! | `documents-extract-structure` | extracts data that fits a schema | [`stages::structure`], [`model`] |
//! | `documents-deliver-webhook` | posts the final status to the tenant's webhook | [`deliver_webhook`] |
//! | `documents-purge` | deletes a document's objects and record | [`purge`] |
//! | `documents-sweep` | on a schedule: finds documents without progress | [`sweep`] |
//! | `documents-get` | `GET /v1/documents/{document_id}`, with `Prefer: wait` | [`api::get`] |
//! | `documents-list` | `GET /v1/documents` | [`api::list`] |
//! | `documents-cancel`, `documents-delete` | `POST …/{document_id}/cancel`, `DELETE …/{document_id}` | [`api::cancel`], [`api::delete`] |
//! | `documents-get-settings`, `documents-put-settings`, `documents-patch-settings` | `/v1/document-settings` | [`api::get_settings`], [`api::put_settings`], [`api::patch_settings`] |
//! | `documents-list-deliveries`, `documents-resend-delivery`, `documents-rotate-secret` | `/v1/document-webhook` | [`api::list_deliveries`], [`api::resend_delivery`], [`api::rotate_secret`] |
//! | `documents-put-schema` | `PUT /v1/document-schemas/{schema}` | [`api::put_schema`] |
//!
//! [`document`] and [`stage`] have the rules. [`stages`] moves a document from stage to stage. [`store`] has
//! the table's keys and conditions. [`allowance`] names the daily budgets, which [`shared::budget`] counts.
//! [`objects`], [`upload_form`] and [`upload_parts`] use S3; [`queues`] uses SQS. A separate process with
//! limits and without credentials ([`sandbox`]) reads each PDF; [`reading`] is the code that runs there.

pub mod allowance;
pub mod api;
pub mod deliver_webhook;
pub mod document;
pub mod model;
pub mod objects;
pub mod on_malware_verdict;
pub mod on_upload;
pub mod purge;
pub mod queues;
pub mod reading;
pub mod sandbox;
pub mod scanner;
pub mod schema;
pub mod schemas;
pub mod settings;
pub mod stage;
pub mod stages;
pub mod store;
pub mod sweep;
pub mod system;
pub mod upload_form;
pub mod upload_parts;
