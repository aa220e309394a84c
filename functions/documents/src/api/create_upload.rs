//! `POST /v1/documents`

use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::{Extension, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::budget::{EXCEEDED, exceeded};
use shared::http::contract::{self, Operation};
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Allowed, Json, StatusCode};
use shared::idempotency::{Commit, IdempotencyError, Outcome};
use shared::problem::{Problem, ProblemType};
use shared::rate_limit::Quota;
use shared::{Error, Result};
use utoipa::ToSchema;

use super::Write;
use super::view::View;
use crate::document::{Announced, Document, DocumentName, InvalidName, MULTIPART_WINDOW, Sha256};
use crate::objects::upload_key;
use crate::schema::SchemaRef;
use crate::schemas;
use crate::system::{System, Uploads};
use crate::upload_form::{self, CONTENT_TYPE, Fields, Grant};
use crate::upload_parts::Parts;

/// How many documents a user may announce. The quota is for fairness, not for protection: if the limiter is
/// unavailable, the request is admitted.
const QUOTA: Quota = Quota::new("uploads", 100, Duration::from_mins(1));

/// The index of the transaction's write that takes from the budgets.
const TAKING: usize = 1;

/// The endpoint's router.
pub fn router(state: System, uploads: Uploads) -> Router {
    let (records, limiter) = (state.records.clone(), state.limiter.clone());
    let router = contract::route!(handle).with_state(state);
    let router = router.layer(Extension(uploads));
    limited(transactional(router, records), Limit::per_user(QUOTA, limiter))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<Created>(StatusCode::CREATED)
        .header("Location")
        .links(&OF_DOCUMENT, "document_id", "$response.body#/document/id")
        .limited(Subject::User, Unavailable::Admit)
        .refuses(&[UNKNOWN_SCHEMA, INVALID_NAME, FILE_EMPTY, FILE_TOO_LARGE, EXCEEDED])
}

/// What can be done with a document that was announced.
const OF_DOCUMENT: [&str; 5] = [
    "documents-get",
    "documents-upload-parts",
    "documents-complete-upload",
    "documents-cancel",
    "documents-delete",
];

const UNKNOWN_SCHEMA: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unknown-schema",
    "The schema does not exist",
);
const INVALID_NAME: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-name",
    "The file's name is not valid",
);
const FILE_EMPTY: ProblemType =
    ProblemType::new(StatusCode::UNPROCESSABLE_ENTITY, "file-empty", "The file is empty");
const FILE_TOO_LARGE: ProblemType =
    ProblemType::new(StatusCode::UNPROCESSABLE_ENTITY, "file-too-large", "The file is too large");

/// A file to upload.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Announcement {
    /// The file's name, for display: 1 to 255 characters, not only spaces, without `/`, `\`, control characters,
    /// line breaks and text direction marks.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^/\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+$",
        example = "statement.pdf"
    )]
    name: String,
    /// The file's size, in bytes.
    #[schema(minimum = 1)]
    size: u64,
    /// The file's SHA-256, in hexadecimal digits.
    #[serde(default)]
    sha256: Option<Sha256>,
    /// The schema of the data to extract, such as `invoice@1`.
    #[serde(default)]
    schema: Option<SchemaRef>,
    /// How the client uploads the file.
    #[serde(default)]
    upload: UploadMethod,
}

/// How a client uploads a file.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum UploadMethod {
    /// In one request, with a form.
    #[default]
    Form,
    /// In parts, which can be sent in parallel and retried.
    Parts,
}

/// An announced document, and how to upload its file.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedDocument)]
struct Created {
    document: View,
    upload: Upload,
}

/// How the client uploads the file.
#[derive(Serialize, ToSchema)]
#[serde(tag = "method")]
enum Upload {
    /// The client posts `fields`, then the file in the field `file`, to `url` as `multipart/form-data`.
    #[serde(rename = "POST")]
    #[schema(title = "FormUpload")]
    Form {
        /// The URL that takes the form.
        url: String,
        /// The form's fields by name, which are sent before the file.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        fields: Fields,
        /// When the form expires.
        expires_at: Timestamp,
    },
    /// The client gets `parts_url`, puts each listed part to its URL, and posts to `complete_url`.
    #[serde(rename = "PUT")]
    #[schema(title = "PartsUpload")]
    Parts {
        /// The size of each part but the last, in bytes.
        part_size: u64,
        /// The number of parts.
        parts: u64,
        /// The path of the missing parts.
        parts_url: String,
        /// The path that joins the parts.
        complete_url: String,
        /// When the upload expires.
        expires_at: Timestamp,
    },
}

/// Announces a document, and gives what its upload needs.
#[utoipa::path(post, path = "/v1/documents")]
async fn handle(
    State(state): State<System>,
    Extension(uploads): Extension<Uploads>,
    user: Allowed<Write>,
    transaction: Transaction,
    Json(announcement): Json<Announcement>,
) -> Result<Outcome<Saved>> {
    let Announcement { name, size, sha256, schema, upload } = announcement;
    let name = DocumentName::try_from(name).map_err(invalid_name)?;
    let announced = Announced { name, size, sha256, schema };
    // A file that is larger than a day's budget never fits.
    check_size(announced.size, uploads.max_bytes.min(uploads.allowance.upload_bytes))?;
    if let Some(schema) = &announced.schema
        && !schemas::exists(&state.documents, user.tenant, schema).await?
    {
        return Err(Problem::of(UNKNOWN_SCHEMA)
            .field("schema", format!("the schema {schema} does not exist"))
            .into());
    }

    let now = state.clock.now();
    let owner = (user.user, user.tenant);
    let mut document = Document::announce(state.ids.next(), owner, announced, now);
    document.webhook = state.documents.settings(user.tenant).await?.webhook.is_some();
    let upload = match upload {
        UploadMethod::Form => form(&state, &uploads, &document, now).await?,
        UploadMethod::Parts => parts(&state, &mut document, now).await?,
    };
    let (id, size) = (document.id, document.announced.size);
    let record = state.documents.creation(&document)?;
    let location = [(LOCATION, format!("/v1/documents/{id}"))];
    let created = Created { document: View::of(document, now), upload };
    let answer = Saved::of((StatusCode::CREATED, location, Json(created))).await?;

    // One transaction writes the record, the budget use and the answer. So a retry gets the same document, or
    // nothing was written.
    let budget_uses = uploads.allowance.announcement(size);
    let taking = uploads.budgets.taking(&user.tenant.to_string(), &budget_uses, now)?;
    let commit = Commit::new(answer).write(record).write(taking);
    let outcome = match transaction.commit(commit).await {
        Err(IdempotencyError::Refused { index: TAKING, item }) => {
            let refused = exceeded(&budget_uses, item.as_ref(), now);
            let refused = refused
                .ok_or_else(|| Error::internal("a budget refused a use within its limit"))?;
            metrics::counter!("BudgetsExceeded").increment(1);
            return Err(Problem::from(refused).into());
        }
        outcome => outcome?,
    };
    if let Outcome::New(_) = outcome {
        tracing::info!(document_id = %id, size, "upload announced");
    }
    Ok(outcome)
}

async fn form(
    state: &System,
    uploads: &Uploads,
    document: &Document,
    now: Timestamp,
) -> Result<Upload> {
    let grant = Grant {
        bucket: state.objects.bucket(),
        region: &uploads.region,
        key: &upload_key(document.key()),
        size: document.announced.size,
        expires_at: document.upload_expires_at,
    };
    let credentials = uploads.credentials.provide_credentials().await?;
    Ok(Upload::Form {
        url: state.objects.form_url().await?,
        fields: upload_form::sign(&grant, &credentials, now),
        expires_at: document.upload_expires_at,
    })
}

/// Begins a multipart upload. If the record is not created afterwards, the bucket's lifecycle aborts the
/// upload after a day.
async fn parts(state: &System, document: &mut Document, now: Timestamp) -> Result<Upload> {
    let Parts { part_size, parts } = Parts::of(document.announced.size);
    document.upload_expires_at = now + MULTIPART_WINDOW;
    document.multipart = Some(state.objects.begin_parts(document.key(), CONTENT_TYPE).await?);
    let parts_url = format!("/v1/documents/{}/parts", document.id);
    Ok(Upload::Parts {
        part_size,
        parts,
        complete_url: format!("{parts_url}/complete"),
        parts_url,
        expires_at: document.upload_expires_at,
    })
}

fn invalid_name(error: InvalidName) -> Problem {
    Problem::of(INVALID_NAME).field("name", error.to_string())
}

fn check_size(size: u64, max_bytes: u64) -> Result<(), Problem> {
    if (1..=max_bytes).contains(&size) {
        return Ok(());
    }
    let detail = format!("a file must have 1 to {max_bytes} bytes");
    let problem = if size == 0 { FILE_EMPTY } else { FILE_TOO_LARGE };
    Err(Problem::of(problem).field("size", detail))
}
