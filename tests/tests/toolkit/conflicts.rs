//! Writes that conflict with other requests, with the error responses of DynamoDB.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use shared::fault::{Fault, Run, point};
use shared::transaction::{self, Sent};
use shared::write::{self, Written};
use shared::{Error, conflict};
use testing::account;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// The maximum number of attempts at a write.
const TRIES: usize = 8;

fn refusal(code: &str, more: &Value) -> ResponseTemplate {
    let mut body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}")});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ResponseTemplate::new(400)
        .set_body_raw(body.to_string(), "application/x-amz-json-1.0")
        .insert_header("x-amzn-errortype", code)
}

fn cancelled(codes: [&str; 2]) -> ResponseTemplate {
    let reasons = codes.map(|code| json!({"Code": code}));
    let more = json!({"CancellationReasons": reasons, "Message": "cancelled"});
    refusal("TransactionCanceledException", &more)
}

/// A DynamoDB that answers with `answer`, `times` times or always, and then with success; and a client
/// with the configuration of functions.
async fn dynamodb(answer: ResponseTemplate, times: Option<u64>) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let mock = Mock::given(any()).respond_with(answer);
    match times {
        Some(times) => mock.up_to_n_times(times).mount(&server).await,
        None => mock.mount(&server).await,
    }
    let content = ResponseTemplate::new(200).set_body_raw("{}", "application/x-amz-json-1.0");
    Mock::given(any()).respond_with(content).mount(&server).await;
    let client = Client::new(&account::at(&server.uri()).await);
    (server, client)
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

fn id() -> AttributeValue {
    AttributeValue::S("1".into())
}

async fn put(client: &Client) -> shared::Result<Written> {
    write::send("test.put", client.put_item().table_name("t").item("id", id())).await
}

async fn update(client: &Client) -> shared::Result<Written> {
    write::send("test.update", client.update_item().table_name("t").key("id", id())).await
}

async fn delete(client: &Client) -> shared::Result<Written> {
    write::send("test.delete", client.delete_item().table_name("t").key("id", id())).await
}

async fn transact(client: &Client) -> shared::Result<Sent> {
    let put = Put::builder().table_name("t").item("id", id()).build().unwrap();
    let put = TransactWriteItem::builder().put(put).build();
    transaction::send("test.transact", client, "token", vec![put.clone(), put]).await
}

fn is_conflict<T>(sent: shared::Result<T>) -> bool {
    let Err(error @ Error::Conflict(_)) = sent else { return false };
    let response = error.into_response();
    response.status() == 503 && response.headers()["retry-after"] == "1"
}

#[tokio::test]
async fn a_single_write_that_conflicts_with_a_transaction_is_retried() {
    let conflict = || refusal("TransactionConflictException", &json!({}));
    let (server, client) = dynamodb(conflict(), Some(2)).await;
    assert_eq!(put(&client).await.unwrap(), Written::Made(None));
    assert_eq!(requests(&server).await, 3);

    let (server, client) = dynamodb(conflict(), None).await;
    assert!(is_conflict(put(&client).await));
    assert!(is_conflict(update(&client).await));
    assert!(is_conflict(delete(&client).await));
    assert_eq!(requests(&server).await, 3 * TRIES, "only one layer retries");
}

#[tokio::test]
async fn a_transaction_that_conflicts_with_another_is_retried() {
    for reason in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
        let (server, client) = dynamodb(cancelled(["None", reason]), Some(2)).await;
        assert!(matches!(transact(&client).await.unwrap(), Sent::Made), "{reason}");
        assert_eq!(requests(&server).await, 3);
        let (server, client) = dynamodb(cancelled([reason, "None"]), None).await;
        assert!(is_conflict(transact(&client).await), "{reason}");
        assert_eq!(requests(&server).await, TRIES, "only one layer retries");
    }
    let refused = cancelled(["TransactionConflict", "ConditionalCheckFailed"]);
    let (_server, client) = dynamodb(refused, None).await;
    let sent = transact(&client).await.unwrap();
    assert!(matches!(sent, Sent::Refused { index: 1, .. }), "{sent:?}");
    let (_server, client) = dynamodb(cancelled(["ValidationError", "None"]), None).await;
    assert!(matches!(transact(&client).await, Err(Error::Internal(_))));
}

#[tokio::test]
async fn errors_that_the_sdk_retries_are_not_retried_by_another_layer() {
    let in_progress = refusal("TransactionInProgressException", &json!({}));
    let (server, client) = dynamodb(in_progress, None).await;
    let sent = transact(&client).await;
    assert!(matches!(sent, Err(Error::Internal(_))), "the transaction may still be made: {sent:?}");
    assert_eq!(requests(&server).await, 3);
    for code in ["ThrottlingException", "ProvisionedThroughputExceededException"] {
        let (server, client) = dynamodb(refusal(code, &json!({})), None).await;
        assert!(is_conflict(update(&client).await), "{code}");
        assert_eq!(requests(&server).await, 3);
        let changed = conflict::retried(async || update(&client).await.map(Some)).await;
        assert!(is_conflict(changed), "{code}");
        assert_eq!(requests(&server).await, 6, "`retried` does not retry it");
    }
}

#[tokio::test]
async fn an_injected_conflict_applies_to_writes_only() {
    let content = ResponseTemplate::new(200).set_body_raw("{}", "application/x-amz-json-1.0");
    let (server, client) = dynamodb(content, None).await;
    let write_both = async |fault| {
        let put = Run::with("test.put", fault).attempt(put(&client)).await.resume().await.unwrap();
        let sent = Run::with("test.transact", fault).attempt(transact(&client)).await;
        (put, sent.resume().await.unwrap())
    };
    let (written, sent) = write_both(Fault::Conflict).await;
    assert_eq!(written.unwrap(), Written::Made(None));
    assert!(matches!(sent.unwrap(), Sent::Made));
    assert_eq!(requests(&server).await, 2, "a write with an injected conflict is not sent");
    let (written, sent) = write_both(Fault::Conflicts).await;
    assert!(is_conflict(written) && is_conflict(sent));
    assert_eq!(requests(&server).await, 2);

    let read = async || -> shared::Result<()> {
        client.get_item().table_name("t").key("id", id()).send().await?;
        Ok(())
    };
    for fault in [Fault::Conflict, Fault::Conflicts] {
        let attempt = Run::with("test.get", fault).attempt(point("test.get", read)).await;
        attempt.resume().await.unwrap().unwrap();
    }
    assert_eq!(requests(&server).await, 4);
}

#[test]
fn the_fault_determines_the_valid_statuses() {
    let allowed = |run: &Run, optional: &[&str]| -> Vec<u16> {
        [201, 409, 500, 503].into_iter().filter(|status| run.allows(*status, optional)).collect()
    };
    assert_eq!(allowed(&Run::default(), &[]), [201]);
    for fault in Fault::ALL {
        let expected: &[u16] = match fault {
            Fault::Conflict => &[201],
            Fault::Conflicts => &[503],
            _ => &[201, 500],
        };
        assert_eq!(allowed(&Run::with("test.put", fault), &["other"]), expected, "{fault:?}");
    }
    let optional = Run::with("test.put", Fault::Conflicts);
    assert_eq!(allowed(&optional, &["test.put"]), [201]);
}

#[tokio::test]
async fn an_attempt_that_reads_first_is_retried_and_its_writes_are_not() {
    let conflict = refusal("TransactionConflictException", &json!({}));
    let (server, client) = dynamodb(conflict, None).await;
    let changed = conflict::retried(async || put(&client).await.map(Some)).await;
    assert!(is_conflict(changed));
    assert_eq!(requests(&server).await, TRIES, "each attempt sends its write once");
    assert!(is_conflict(conflict::retried(async || Ok(None::<()>)).await));
}
