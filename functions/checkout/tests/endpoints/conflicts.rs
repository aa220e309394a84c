//! The responses while other transactions hold the same items.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use serde_json::json;
use testing::account;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{BOOK, CUSTOMER, PRICE, Shop, ask, shop_with};

/// Sends a number of writes to a server that responds with DynamoDB's transaction conflicts.
#[derive(Clone, Debug)]
struct Conflicts {
    left: Arc<AtomicU32>,
    server: String,
}

impl Intercept for Conflicts {
    fn name(&self) -> &'static str {
        "Conflicts"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let path = match target.rsplit('.').next() {
            Some("PutItem" | "DeleteItem") => "item",
            Some("TransactWriteItems") => "transaction",
            _ => return Ok(()),
        };
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_ok() {
            context.request_mut().set_uri(format!("{}/{path}", self.server))?;
        }
        Ok(())
    }
}

async fn shop() -> (Shop, Arc<AtomicU32>, MockServer) {
    let server = MockServer::start().await;
    let prefix = "com.amazonaws.dynamodb.v20120810#";
    let item = json!({"__type": format!("{prefix}TransactionConflictException")});
    let transaction = json!({
        "__type": format!("{prefix}TransactionCanceledException"),
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
    });
    for (at, body) in [("/item", item), ("/transaction", transaction)] {
        let answer = ResponseTemplate::new(400).set_body_json(body);
        Mock::given(path(at)).respond_with(answer).mount(&server).await;
    }
    let left = Arc::new(AtomicU32::new(0));
    let conflicts = Conflicts { left: left.clone(), server: server.uri() };
    let aws = account::empty().await;
    let config = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(conflicts);
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    let s = shop_with(aws, client).await;
    s.sell(BOOK, PRICE).await;
    s.stock(BOOK, 10, 1).await;
    (s, left, server)
}

#[tokio::test]
async fn a_short_conflict_is_retried() {
    let (s, left, _server) = shop().await;
    let customer = CUSTOMER.parse().unwrap();
    for name in ["put-product", "set-in-cart", "place-order", "put-endpoint", "delete-endpoint"] {
        left.store(2, Ordering::SeqCst);
        let answer = ask(name).header("if-match", "*").of(&s).await;
        assert!(answer.status < 300, "{name}: {}", answer.text);
        assert_eq!(left.load(Ordering::SeqCst), 0, "{name} met no conflict");
        s.put_in_cart(customer, BOOK, 1).await;
    }
}

#[tokio::test]
async fn a_long_conflict_is_a_503() {
    let (s, left, _server) = shop().await;
    s.put_in_cart(CUSTOMER.parse().unwrap(), BOOK, 1).await;
    left.store(1_000, Ordering::SeqCst);
    for name in ["place-order", "set-in-cart", "add-to-cart", "put-endpoint"] {
        let answer = ask(name).of(&s).await;
        assert_eq!(answer.problem(), (503, "conflicting-writes"), "{name}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}
