//! Auth with real APIs of DynamoDB, Secrets Manager, SQS and SES.

use std::future::Future;

use auth::authorize::Authorizer;
use auth::keys::{KeyRing, PrivateKeys, PublicKeys};
use auth::letters::Pages;
use auth::mail::Mailer;
use auth::send_mail::{Job, SendMail};
use auth::store::Users;
use auth::system::System;
use auth::token::Issuers;
use auth::{api, pages};
use aws_config::SdkConfig;
use axum::Router;
use axum::http::HeaderMap;
use http_body_util::BodyExt;
use lambda_http::request::from_str;
use serde_json::{Value, json};
use shared::audit::AuditLog;
use shared::batch::{Failure, Message};
use shared::clock::Clock;
use shared::http::{app, page_app};
use shared::id::Ids;
use shared::queue::Queue;
use shared::rate_limit::RateLimiter;
use testing::contract::ask;
use testing::mailbox::{Mail, mails_to};
use testing::requests::Requests;
use testing::{account, event};

pub(crate) const NOW: &str = "2026-11-21T10:00:00Z";
pub(crate) const ISSUER: &str = "https://auth.example.org";
pub(crate) const SENDER: &str = "no-reply@arsenal.test";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Auth {
    /// The requests to DynamoDB.
    pub(crate) requests: Recorded,
    pub(crate) users: Users,
    pub(crate) private: PrivateKeys,
    pub(crate) public: PublicKeys,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) authorizer: Authorizer,
    pub(crate) send_mail: SendMail,
    pub(crate) aws: SdkConfig,
    /// The pages.
    pub(crate) pages: Router,
    pub(crate) audit_log: AuditLog,
    mails: String,
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

    let issuers = Issuers::new(ISSUER.into(), private.clone(), clock.clone());
    let authorizer = Authorizer::new(ISSUER.into(), public.clone(), users.clone(), clock.clone());
    let limiter = RateLimiter::new(client, requests, clock.clone());
    let audit_log =
        crate::audit::log(&aws, account::table_named(&aws, "audit", &["pk", "sk"]).await);
    let mails = account::queue_named(&aws, "mails").await;
    let queue = Queue::new(aws_sdk_sqs::Client::new(&aws), mails.clone());
    let ses = aws_sdk_sesv2::Client::new(&aws);
    ses.create_email_identity().email_identity("arsenal.test").send().await.unwrap();
    let send_mail = SendMail {
        users: users.clone(),
        limiter: limiter.clone(),
        mailer: Mailer::new(ses, SENDER.into()),
        pages: Pages::new("https://example.org/auth/"),
        clock: clock.clone(),
    };
    let (clock_of_system, ids_of_system) = (clock.clone(), ids.clone());
    let system = System {
        users: users.clone(),
        limiter,
        per_minute,
        clock: clock_of_system,
        ids: ids_of_system,
    };
    let sign_in = pages::sign_in::router(&system, &issuers);
    let pages = page_app(pages::router(&system, &queue).merge(sign_in), pages::page_of);
    let s = || system.clone();
    let oauth = api::token::router(s(), issuers.clone())
        .merge(api::authorize_device::router(s(), ISSUER))
        .merge(api::revoke::router(s(), issuers.clone(), authorizer.clone()))
        .merge(api::introspect::router(s(), authorizer.clone()))
        .merge(api::get_userinfo::router(s()))
        .merge(api::get_keys::router(authorizer.clone()))
        .merge(api::get_configuration::router(ISSUER.into()))
        .merge(api::create_application::router(s()))
        .merge(api::list_applications::router(s()))
        .merge(api::renew_secret::router(s()))
        .merge(api::delete_application::router(s()));
    let router = api::register::router(&system, queue.clone())
        .merge(api::forgot_password::router(&system, queue))
        .merge(api::confirm::router(s()))
        .merge(api::reset_password::router(s()))
        .merge(api::login::router(s(), issuers.clone()))
        .merge(api::login_code::router(s(), issuers.clone()))
        .merge(api::enrol_totp::router(s(), issuers.clone()))
        .merge(api::confirm_totp::router(s(), issuers.clone()))
        .merge(api::remove_totp::router(s(), issuers.clone()))
        .merge(api::renew_recovery_codes::router(s(), issuers.clone()))
        .merge(api::get_totp::router(s()))
        .merge(of_passkeys(&system, &issuers))
        .merge(api::refresh::router(s(), issuers))
        .merge(api::logout::router(s()))
        .merge(api::list_sessions::router(s()))
        .merge(api::end_session::router(s()))
        .merge(api::end_sessions::router(s()))
        .merge(api::create_api_key::router(s()))
        .merge(api::list_api_keys::router(s()))
        .merge(api::rotate_api_key::router(s()))
        .merge(api::revoke_api_key::router(s()))
        .merge(api::get_me::router(s()))
        .merge(api::export_me::router(s(), audit_log.clone()))
        .merge(api::delete_me::router(s()))
        .merge(api::list_audit::router(s(), audit_log.clone()))
        .merge(api::change_password::router(s()))
        .merge(oauth);
    let router = app(router);
    Auth {
        requests: Recorded(recorded),
        users,
        private,
        public,
        clock,
        ids,
        authorizer,
        send_mail,
        aws,
        audit_log,
        pages,
        mails,
        router,
    }
}

/// The endpoints of passkeys.
fn of_passkeys(system: &System, issuers: &Issuers) -> Router {
    let with = |router: fn(System, Issuers) -> Router| router(system.clone(), issuers.clone());
    with(api::begin_passkey_sign_in::router)
        .merge(with(api::login_passkey::router))
        .merge(with(api::begin_passkey::router))
        .merge(with(api::add_passkey::router))
        .merge(api::list_passkeys::router(system.clone()))
        .merge(api::remove_passkey::router(system.clone()))
}

/// The requests to DynamoDB.
pub(crate) struct Recorded(Requests);

impl Recorded {
    /// Runs `work`; gives its result and the requests that were sent meanwhile: the operation, and the beginning of
    /// the key.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> (T, Vec<String>) {
        self.0.clear();
        let done = work.await;
        let shown = |(operation, body): (String, Value)| {
            let places = ["/Key/pk/S", "/Key/id/S", "/Item/pk/S"];
            let key = places.iter().find_map(|place| body.pointer(place)?.as_str());
            let kind = key.unwrap_or_default().split('#').next().unwrap_or_default();
            format!("{operation} {kind}").trim().to_owned()
        };
        (done, self.0.take().into_iter().map(shown).collect())
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
    /// The endpoints.
    pub(crate) fn endpoints(&self) -> Router {
        self.router.clone()
    }

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
        let token = self.asked("register", email).await;
        let chosen = json!({"token": token, "password": PASSWORD});
        self.call_with("confirm", &chosen).await.ok(201)
    }

    /// Asks for a mail with `register` or `forgot-password`. Gives the token of its link.
    pub(crate) async fn asked(&self, name: &str, email: &str) -> String {
        let answer = self.call_with(name, &json!({"email": email})).await.ok(202);
        assert_eq!(self.deliver_mails().await, 1);
        self.mails(answer["email"].as_str().unwrap()).await.last().unwrap().token().to_owned()
    }

    /// The mails to an address, oldest first.
    pub(crate) async fn mails(&self, email: &str) -> Vec<Mail> {
        mails_to(&self.aws, email).await
    }

    /// The jobs in the queue of mails, which are taken out.
    pub(crate) async fn jobs(&self) -> Vec<Job> {
        let bodies = account::drain(&self.aws, &self.mails).await;
        bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// Sends the mails that are in the queue. Gives their number.
    pub(crate) async fn deliver_mails(&self) -> usize {
        let jobs = self.jobs().await;
        for job in &jobs {
            self.deliver(job, 1).await.unwrap();
        }
        jobs.len()
    }

    /// Handles a job, which SQS delivers for the `receive_count`th time.
    pub(crate) async fn deliver(&self, job: &Job, receive_count: u32) -> Result<(), Failure> {
        self.deliver_as("the message", job, receive_count).await
    }

    /// The same for a message with this id.
    pub(crate) async fn deliver_as(
        &self,
        id: &str,
        job: &Job,
        receive_count: u32,
    ) -> Result<(), Failure> {
        let (message_id, body) = (id.to_owned(), job.clone());
        let message = Message { message_id, receive_count, group: None, body };
        self.send_mail.handle(message).await
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
