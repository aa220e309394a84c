//! The `Idempotency-Key` header, as in the IETF draft
//! ([draft-ietf-httpapi-idempotency-key-header-07](https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07)).
//!
//! **Guarantees.** A request without a key, or with two, is refused (400); a key with a comma must be quoted,
//! because API Gateway joins two headers with a comma. A key belongs to a user and a route. Of
//! all requests with the same key, one runs at a time; the others get 409 with `Retry-After`. After the
//! first answer, each request with the key gets the same answer, byte for byte, with the header
//! `Idempotent-Replayed: true`, for 24 h. A request with the key and another path, query or body is
//! refused (422). The order of the members of a JSON body and the space between them do not matter. A retry
//! that names another [version](super::version) gets the first answer too: `Arsenal-Version` names its version.
//!
//! [`wrapped`] guards an endpoint that may safely run again. It saves the answers that a retry would
//! repeat: 2xx, 3xx, and 4xx except 401, 403, 408, 425 and 429. It does not save a 5xx, and the next
//! request runs the handler again, unless the response has the extension [`HadEffects`].
//!
//! ```no_run
//! use axum::{Router, routing::post};
//! use shared::http::idempotency;
//! use shared::idempotency::Records;
//!
//! fn router(records: Records) -> Router {
//!     let router = Router::new().route("/v1/greetings", post(async || "hello"));
//!     idempotency::wrapped(router, records)
//! }
//! ```
//!
//! [`transactional`] guards an endpoint whose handler saves the answer itself, through [`Transaction`].

mod key;
mod saved;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRef, FromRequest, FromRequestParts, MatchedPath, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use lambda_http::http::Request;
use lambda_http::http::request::Parts;

pub use self::key::{IDEMPOTENCY_KEY, KEY_INVALID, KEY_MISSING, MAX_KEY_LENGTH};
use self::key::{fingerprint, key};
use self::saved::is_lasting;
pub use self::saved::{HadEffects, IDEMPOTENT_REPLAYED, MAX_SAVED_BYTES, Saved};
use super::SignedIn;
use super::version::ApiVersion;
use crate::clock::Clock;
use crate::idempotency::{
    Claim, Commit, IdempotencyError, Outcome, Reconciled, Records, Request as Identity,
    Transactional, Wrapped,
};
use crate::{Error, Result, conflict};

/// Guards every route of `router`: see the [module](self).
pub fn wrapped(router: Router, records: Records) -> Router {
    router.route_layer(from_fn_with_state(records, wrap))
}

/// Lets the handlers of `router` take a [`Transaction`].
pub fn transactional(router: Router, records: Records) -> Router {
    router.route_layer(from_fn_with_state(records, offer_transaction))
}

impl FromRef<Records> for Clock {
    fn from_ref(records: &Records) -> Self {
        records.clock()
    }
}

async fn wrap(
    State(records): State<Records>,
    request: Request<Body>,
    next: Next,
) -> Result<Response> {
    let version = ApiVersion::of(request.headers())?;
    let (identity, request) = identity(&records, request).await?;
    let (mut passing, mut first) = (None, None);
    let wrapped = Wrapped::new(records);
    let outcome = wrapped.run(&identity, async || {
        let response = next.run(request).await;
        if !is_lasting(&response) {
            passing = Some(response);
            return Err(Error::internal("this answer is not saved"));
        }
        let (saved, response) = Saved::with_response(response).await?;
        first = Some(response);
        Ok(saved.in_version(version))
    });
    let outcome = outcome.await;
    match (outcome, passing, first) {
        // The original response, including the headers that are not saved.
        (Ok(Outcome::New(_)), _, Some(response))
        | (Err(IdempotencyError::Failed(_)), Some(response), _) => Ok(response),
        (Ok(outcome), ..) => Ok(outcome.into_response()),
        (Err(error), ..) => Err(error.into()),
    }
}

async fn offer_transaction(
    State(records): State<Records>,
    request: Request<Body>,
    next: Next,
) -> Result<Response> {
    let version = ApiVersion::of(request.headers())?;
    let (identity, mut request) = identity(&records, request).await?;
    let transactional = Transactional::new(records);
    request.extensions_mut().insert(Transaction { transactional, identity, version });
    Ok(next.run(request).await)
}

/// An extractor for handlers behind [`transactional`]: saves the answer of a request, so that its retries
/// get the same answer.
///
/// Other answers of the handler are not saved: a retry with invalid input is refused again anyway.
#[derive(Clone, Debug)]
pub struct Transaction {
    transactional: Transactional,
    identity: Identity,
    version: ApiVersion,
}

impl<S: Sync> FromRequestParts<S> for Transaction {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let transaction = parts.extensions.get().cloned();
        transaction.ok_or_else(|| Error::internal("the route is not behind `transactional`"))
    }
}

impl Transaction {
    /// [`Transactional::answered`], for this request.
    ///
    /// # Errors
    /// [`IdempotencyError`]; `?` turns it into the handler's response.
    pub async fn answered(&self) -> Result<Option<Outcome<Saved>>, IdempotencyError> {
        let saved = self.transactional.answered(&self.identity).await?;
        Ok(saved.map(Outcome::Replayed))
    }

    /// [`Transactional::commit`], for this request.
    ///
    /// # Errors
    /// [`IdempotencyError`]; `?` turns it into the handler's response.
    pub async fn commit(&self, commit: Commit<Saved>) -> Result<Outcome<Saved>, IdempotencyError> {
        self.transactional.commit(&self.identity, self.versioned(commit)).await
    }

    /// [`commit`](Self::commit) for an attempt of [`retried`](Self::retried). Gives `None` if a condition
    /// does not hold, because another writer was first.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub async fn try_commit(&self, commit: Commit<Saved>) -> Result<Option<Outcome<Saved>>> {
        match self.commit(commit).await {
            Err(IdempotencyError::Refused { .. }) => Ok(None),
            outcome => Ok(Some(outcome?)),
        }
    }

    /// [`conflict::retried`] for attempts that commit their writes together with the answer. If an attempt
    /// gives a problem and the request already has a saved answer, the saved answer is given: the first
    /// execution of the request may be the cause of the problem.
    ///
    /// # Errors
    /// As for [`conflict::retried`]; [`IdempotencyError`].
    pub async fn retried<Fut>(&self, attempt: impl Fn() -> Fut) -> Result<Outcome<Saved>>
    where
        Fut: Future<Output = Result<Option<Outcome<Saved>>>>,
    {
        match conflict::retried(attempt).await {
            Err(Error::Problem(problem)) => self.answered().await?.ok_or(problem.into()),
            done => done,
        }
    }

    /// [`Transactional::execute`], for this request.
    ///
    /// # Errors
    /// [`IdempotencyError`]; `?` turns it into the handler's response.
    pub async fn execute(
        &self,
        work: impl AsyncFnOnce(&Claim) -> Result<Commit<Saved>>,
        reconcile: impl AsyncFnOnce(&Claim) -> Result<Reconciled<Saved>>,
    ) -> Result<Outcome<Saved>, IdempotencyError> {
        let work = async |claim: &Claim| Ok(self.versioned(work(claim).await?));
        let reconcile = async |claim: &Claim| match reconcile(claim).await? {
            Reconciled::Happened(commit) => Ok(Reconciled::Happened(self.versioned(commit))),
            Reconciled::DidNotHappen => Ok(Reconciled::DidNotHappen),
        };
        self.transactional.execute(&self.identity, work, reconcile).await
    }

    fn versioned(&self, commit: Commit<Saved>) -> Commit<Saved> {
        commit.map(|answer| answer.in_version(self.version))
    }
}

/// The identity of a request for idempotency, and the request with its body restored.
async fn identity(records: &Records, request: Request<Body>) -> Result<(Identity, Request<Body>)> {
    let (mut parts, body) = request.into_parts();
    let user = SignedIn::from_request_parts(&mut parts, records).await?;
    let key = key(&parts.headers)?;
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let route = format!("{} {}", parts.method, route.unwrap_or(parts.uri.path()));

    let request = Request::from_parts(parts, body);
    let (parts, body) = with_body(request).await?;
    let identity = Identity::keyed("http", &(user.user, user.tenant, route, key))?
        .fingerprinted(fingerprint(&parts, &body));
    Ok((identity, Request::from_parts(parts, Body::from(body))))
}

/// Reads the body, up to the router's limit.
async fn with_body(request: Request<Body>) -> Result<(Parts, Bytes)> {
    let (parts, body) = request.into_parts();
    let mut limited = Request::new(body);
    *limited.extensions_mut() = parts.extensions.clone();
    let read = Bytes::from_request(limited, &()).await;
    Ok((parts, read.map_err(super::json::unreadable)?))
}
