//! `PUT /v1/webhook-endpoints/{name}`

use axum::Router;
use axum::extract::State;
use axum::routing::put;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::clock::Clock;
use shared::conflict::retried;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::id::Ids;
use shared::problem::Problem;
use shared::webhook::{Courier, Webhook};

use super::{ADMIN, has_clock};
use crate::merchant::{Endpoint, EndpointName, MAX_ENDPOINTS};
use crate::store::{AttemptId, Store};

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct PutEndpoint {
    /// The checkout's table.
    pub store: Store,
    /// What posts to webhooks, and knows which it would not.
    pub courier: Courier,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
}
has_clock!(PutEndpoint);

/// The endpoint's router.
pub fn router(state: PutEndpoint) -> Router {
    Router::new().route("/v1/webhook-endpoints/{name}", put(handle)).with_state(state)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    url: String,
}

#[derive(Serialize)]
struct Answer {
    name: EndpointName,
    url: String,
    /// What signs; shown when it is new, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Has a merchant told at this URL. At another URL than before, or after the
/// receiver answered 410, the endpoint gets a new secret.
async fn handle(
    State(state): State<PutEndpoint>,
    user: SignedIn,
    Path(name): Path<EndpointName>,
    Json(Wanted { url }): Json<Wanted>,
) -> Result<(StatusCode, Json<Answer>)> {
    user.require(ADMIN)?;
    let attempt = || state.attempt(&name, &url);
    retried(attempt).await
}

impl PutEndpoint {
    /// Nothing if another endpoint was put meanwhile.
    async fn attempt(
        &self,
        name: &EndpointName,
        url: &str,
    ) -> Result<Option<(StatusCode, Json<Answer>)>> {
        let known = self.store.endpoints_to_change().await?;
        let before = known.all.iter().find(|endpoint| endpoint.name == *name);
        let answer = |secret| Json(Answer { name: name.clone(), url: url.to_owned(), secret });
        if before.is_some_and(|it| it.webhook.url == url && it.webhook.gone_at.is_none()) {
            return Ok(Some((StatusCode::OK, answer(None))));
        }
        if before.is_none() && known.all.len() >= MAX_ENDPOINTS {
            let title = "There are too many endpoints";
            return Err(Problem::new(StatusCode::CONFLICT, "too-many-endpoints", title)
                .detail(format!("There are up to {MAX_ENDPOINTS}."))
                .into());
        }
        self.courier.check(url).await.map_err(|error| {
            let title = "The webhook's URL is not taken";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-webhook", title)
                .field("url", error.to_string())
        })?;
        let webhook = Webhook::at(url.to_owned())?;
        let secret = Some(webhook.secret.expose_secret().to_owned());
        let endpoint = Endpoint { name: name.clone(), webhook, created_at: self.clock.now() };
        let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        let token: AttemptId = self.ids.next();
        if !self.store.put_endpoint(&token.to_string(), &known, &endpoint).await? {
            return Ok(None);
        }
        tracing::info!(%name, "webhook endpoint put");
        Ok(Some((status, answer(secret))))
    }
}
