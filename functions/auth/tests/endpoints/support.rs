//! Auth with real APIs of DynamoDB and Secrets Manager.

use std::future::Future;
use std::sync::{Arc, Mutex};

use auth::api;
use auth::authorize::Authorizer;
use auth::keys::{KeyRing, PrivateKeys, PublicKeys};
use auth::store::Users;
use auth::system::System;
use auth::token::Issuers;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use axum::Router;
use axum::http::HeaderMap;
use http_body_util::BodyExt;
use lambda_http::request::from_str;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::http::app;
use shared::id::Ids;
use shared::rate_limit::RateLimiter;
use testing::contract::ask;
use testing::{account, event};

pub(crate) const NOW: &str = "2026-11-21T10:00:00Z";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Auth {
    /// The requests to DynamoDB.
    pub(crate) requests: Requests,
    pub(crate) users: Users,
    pub(crate) private: PrivateKeys,
    pub(crate) public: PublicKeys,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) authorizer: Authorizer,
    router: Router,
}

pub(crate) async fn auth() -> Auth {
    auth_with(6_000).await
}

/// With this many sign-ins per minute from one source IP address.
pub(crate) async fn auth_with(per_minute: u32) -> Auth {
    let aws = account::empty().await;
    let recorded = Requests::default();
    let config = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(recorded.clone());
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    let users = Users::new(client.clone(), account::table_named(&aws, "auth", &["pk", "sk"]).await);
    let requests = account::table_named(&aws, "requests", &["id"]).await;
    let clock = Clock::manual(NOW.parse().unwrap());
    let ids = Ids::sequential(clock.clone());

    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    for name in ["signing-key", "public-keys"] {
        secrets.create_secret().name(name).send().await.unwrap();
    }
    let private = PrivateKeys::new(secrets.clone(), "signing-key".into());
    let public = PublicKeys::new(secrets, "public-keys".into());
    let ring = KeyRing::generate(clock.now()).unwrap();
    private.put(&ring, None).await.unwrap();
    public.put(&ring.public().unwrap()).await.unwrap();

    let issuers = Issuers::new("arsenal".into(), private.clone(), clock.clone());
    let authorizer =
        Authorizer::new("arsenal".into(), public.clone(), users.clone(), clock.clone());
    let limiter = RateLimiter::new(client, requests, clock.clone());
    let (clock_of_system, ids_of_system) = (clock.clone(), ids.clone());
    let system = System {
        users: users.clone(),
        limiter,
        per_minute,
        clock: clock_of_system,
        ids: ids_of_system,
    };
    let s = || system.clone();
    let router = api::register::router(s())
        .merge(api::login::router(s(), issuers.clone()))
        .merge(api::refresh::router(s(), issuers))
        .merge(api::logout::router(s()))
        .merge(api::list_sessions::router(s()))
        .merge(api::end_session::router(s()))
        .merge(api::end_sessions::router(s()))
        .merge(api::get_me::router(s()))
        .merge(api::change_password::router(s()));
    let router = app(router);
    Auth { requests: recorded, users, private, public, clock, ids, authorizer, router }
}

/// The requests to DynamoDB: the operation, and the beginning of the key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(Arc<Mutex<Vec<String>>>);

impl Requests {
    /// Runs `work`; gives its result and the requests that were sent meanwhile.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> (T, Vec<String>) {
        self.0.lock().unwrap().clear();
        let done = work.await;
        (done, std::mem::take(&mut *self.0.lock().unwrap()))
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
        let places = ["/Key/pk/S", "/Key/id/S", "/Item/pk/S"];
        let key = places.iter().find_map(|place| body.pointer(place)?.as_str());
        let kind = key.unwrap_or_default().split('#').next().unwrap_or_default();
        self.0.lock().unwrap().push(format!("{operation} {kind}").trim().to_owned());
        Ok(())
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The body. Panics if the status is another one.
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The seconds in `Retry-After`.
    pub(crate) fn retry_after(&self) -> u64 {
        self.headers["retry-after"].to_str().unwrap().parse().unwrap()
    }

    pub(crate) fn problem(&self) -> (u16, &str) {
        let kind = self.body["type"].as_str().unwrap_or_default();
        (self.status, kind.rsplit('/').next().unwrap())
    }
}

/// The tokens of a session.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(body: &Value) -> Self {
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// A sample event of auth.
pub(crate) fn sample(name: &str) -> Value {
    serde_json::from_str(&event(&format!("auth-{name}"))).unwrap()
}

impl Auth {
    pub(crate) async fn call(&self, event: &Value) -> Answer {
        let response = ask(&self.router, from_str(&event.to_string()).unwrap()).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn call_with(&self, name: &str, body: &Value) -> Answer {
        let mut event = sample(name);
        event["body"] = json!(body.to_string());
        self.call(&event).await
    }

    /// Registers a user.
    pub(crate) async fn register(&self, email: &str) -> Value {
        let body = json!({"email": email, "password": PASSWORD});
        self.call_with("register", &body).await.ok(201)
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.call_with("login", &json!({"email": email, "password": password})).await
    }

    /// Signs the user in, who gets tokens.
    pub(crate) async fn signed_in(&self, email: &str) -> Tokens {
        Tokens::of(&self.sign_in(email, PASSWORD).await.ok(200))
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.call_with("refresh", &json!({"refresh_token": token})).await
    }

    /// The authorizer's context for an access token; `None` if the request is refused.
    pub(crate) async fn authorized(&self, access: &str) -> Option<Value> {
        let mut request = sample("authorize");
        request["headers"]["authorization"] = json!(format!("Bearer {access}"));
        let answer = self.authorizer.answer(&request).await.unwrap();
        assert_eq!(answer.is_authorized, answer.context.is_some());
        answer.context
    }

    /// Calls an endpoint as API Gateway does: with the authorizer's context of the token.
    pub(crate) async fn as_user(&self, access: &str, mut event: Value) -> Answer {
        let context = self.authorized(access).await.unwrap();
        event["requestContext"]["authorizer"]["lambda"] = context;
        self.call(&event).await
    }
}
