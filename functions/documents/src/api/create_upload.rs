//! `POST /v1/documents`

use std::time::Duration;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::header::LOCATION;
use axum::routing::post;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::clock::Clock;
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Json, SignedIn, StatusCode};
use shared::id::Ids;
use shared::idempotency::{Commit, Outcome, Records};
use shared::problem::Problem;
use shared::rate_limit::{Quota, RateLimiter};

use super::WRITE;
use super::view::View;
use crate::document::{Document, DocumentName};
use crate::objects::{Objects, upload_key};
use crate::store::Documents;
use crate::upload_form::{self, Fields, Grant};

/// What the endpoint needs.
#[derive(Clone)]
pub struct CreateUpload {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// Whose signature the form carries: the function's role.
    pub credentials: SharedCredentialsProvider,
    /// The bucket's region.
    pub region: String,
    /// The largest file taken, in bytes.
    pub max_bytes: u64,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
}

impl FromRef<CreateUpload> for Clock {
    fn from_ref(state: &CreateUpload) -> Self {
        state.clock.clone()
    }
}

/// How many documents a user may announce: a fair share, and no guard, so that it gives way when
/// nobody can decide.
const QUOTA: Quota = Quota::new("uploads", 100, Duration::from_mins(1));

/// The endpoint's router.
pub fn router(state: CreateUpload, records: Records, limiter: RateLimiter) -> Router {
    let router = Router::new().route("/v1/documents", post(handle)).with_state(state);
    let limit =
        Limit { limiter, quota: QUOTA, subject: Subject::User, unavailable: Unavailable::Admit };
    limited(transactional(router, records), limit)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Announcement {
    /// The file's name.
    name: DocumentName,
    /// The file's size in bytes.
    size: u64,
}

#[derive(Serialize)]
struct Created {
    document: View,
    upload: Form,
}

/// Post `fields`, then the file in the field `file`, to `url` as `multipart/form-data`.
#[derive(Serialize)]
struct Form {
    method: &'static str,
    url: String,
    fields: Fields,
    expires_at: Timestamp,
}

async fn handle(
    State(state): State<CreateUpload>,
    user: SignedIn,
    transaction: Transaction,
    Json(announcement): Json<Announcement>,
) -> Result<Outcome<Saved>> {
    user.require(WRITE)?;
    let Announcement { name, size } = announcement;
    check_size(size, state.max_bytes)?;

    let now = state.clock.now();
    let document = Document::announce(state.ids.next(), (user.user, user.tenant), name, size, now);
    let grant = Grant {
        bucket: state.objects.bucket(),
        region: &state.region,
        key: &upload_key(document.owner, document.id),
        size,
        expires_at: document.upload_expires_at,
    };
    let credentials = state.credentials.provide_credentials().await?;
    let upload = Form {
        method: "POST",
        url: state.objects.form_url().await?,
        fields: upload_form::sign(&grant, &credentials, now),
        expires_at: document.upload_expires_at,
    };
    let id = document.id;
    let record = state.documents.creation(&document)?;
    let location = [(LOCATION, format!("/v1/documents/{id}"))];
    let created = Created { document: View::of(document, now), upload };
    let answer = Saved::of((StatusCode::CREATED, location, Json(created))).await?;

    // The record and the answer in one: a retry gets the same document, or none was made.
    let outcome = transaction.commit(Commit::new(answer).write(record)).await?;
    if let Outcome::New(_) = outcome {
        tracing::info!(document_id = %id, size, "upload announced");
    }
    Ok(outcome)
}

fn check_size(size: u64, max_bytes: u64) -> Result<(), Problem> {
    if (1..=max_bytes).contains(&size) {
        return Ok(());
    }
    let detail = format!("a file has 1 to {max_bytes} bytes");
    let (slug, title) = match size {
        0 => ("file-empty", "The file is empty"),
        _ => ("file-too-large", "The file is too large"),
    };
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title).field("size", detail))
}
