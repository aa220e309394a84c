//! Documents: from an upload to text.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `documents-create-upload` | `POST /v1/documents`: a record, and a form to upload one file with | [`api::create_upload`] |
//! | `documents-on-upload` | S3 tells that the file is there: records it, queues the work | [`on_upload`] |
//! | `documents-process` | a job of the queue: reads the file, records what is in it | [`process`] |
//! | `documents-get` | `GET /v1/documents/{document_id}` | [`api::get`] |
//! | `documents-list` | `GET /v1/documents` | [`api::list`] |
//!
//! The rules are in [`document`]; keys and conditions of the table in [`store`]; what S3 and SQS do
//! for us in [`objects`], [`upload_form`] and [`jobs`]. A PDF is read in a process of its own
//! ([`reader`]) that has limits and no credentials; what it does there is in [`pdf`] and [`layout`].

pub mod api;
pub mod document;
pub mod jobs;
pub mod layout;
pub mod objects;
pub mod on_upload;
pub mod pdf;
pub mod process;
pub mod reader;
pub mod store;
pub mod upload_form;
