//! Documents: the PDF pipeline, from an untrusted upload to checked, structured data.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `documents-create-upload` | `POST /v1/documents`: a record, and a form or a place for parts to upload one file with | [`api::create_upload`] |
//! | `documents-upload-parts` | `GET …/{document_id}/parts`: what is left to upload | [`api::upload_parts`] |
//! | `documents-complete-upload` | `POST …/{document_id}/parts/complete` | [`api::complete_upload`] |
//! | `documents-on-upload` | S3 tells that the file is there | [`on_upload`] |
//! | `documents-validate` | is it a PDF that we are ready to read, by the tenant's policy? | [`stages::validate`] |
//! | `documents-scan` | is there malware in it? | [`stages::scan`], [`scanner`] |
//! | `documents-on-malware-verdict` | GuardDuty tells that it has scanned a file | [`on_malware_verdict`] |
//! | `documents-check-pdfa` | does it conform to PDF/A? | [`stages::pdfa`] |
//! | `documents-extract-text` | its text, with positions | [`stages::text`] |
//! | `documents-extract-structure` | its data, in the terms of a schema | [`stages::structure`], [`model`] |
//! | `documents-deliver-webhook` | tells the tenant of the end | [`deliver_webhook`] |
//! | `documents-purge` | deletes everything of a document | [`purge`] |
//! | `documents-sweep` | on a schedule: documents that stand still | [`sweep`] |
//! | `documents-get` | `GET /v1/documents/{document_id}`, with `Prefer: wait` | [`api::get`] |
//! | `documents-list` | `GET /v1/documents` | [`api::list`] |
//! | `documents-cancel`, `documents-delete` | `POST …/{document_id}/cancel`, `DELETE …/{document_id}` | [`api::cancel`], [`api::delete`] |
//! | `documents-get-settings`, `documents-put-settings` | `/v1/document-settings` | [`api::get_settings`], [`api::put_settings`] |
//! | `documents-list-deliveries`, `documents-resend-delivery`, `documents-rotate-secret` | `/v1/document-webhook` | [`api::list_deliveries`], [`api::resend_delivery`], [`api::rotate_secret`] |
//! | `documents-put-schema` | `PUT /v1/document-schemas/{schema}` | [`api::put_schema`] |
//!
//! The rules are in [`document`] and [`stage`], how a document goes from stage to stage in [`stages`],
//! keys and conditions of the table in [`store`]. What a
//! tenant may use in a day is in [`allowance`], counted by [`shared::budget`]. What S3 and SQS do for us is in [`objects`],
//! [`upload_form`], [`upload_parts`] and [`queues`]. A PDF is read in a process of its own
//! ([`sandbox`]) that has limits and no credentials; what it does there is in [`reading`].

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
