//! Connections to DynamoDB: opened at cold start, and replaced after they die.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use shared::aws::connect;
use testing::account;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A server that the test controls, in place of DynamoDB, and a client for it with the configuration of
/// functions.
async fn server() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let config = aws_sdk_dynamodb::config::Builder::from(&shared::aws::load().await);
    (listener, Client::from_conf(config.endpoint_url(url).build()))
}

/// Reads a request with its body; gives the head in lower case.
async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        bytes.push(stream.read_u8().await.unwrap());
        if bytes.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(bytes).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    head
}

async fn answer(stream: &mut TcpStream) {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";
    stream.write_all(answer).await.unwrap();
}

async fn get(client: &Client) {
    let key = AttributeValue::S("1".into());
    client.get_item().table_name("t").key("id", key).send().await.unwrap();
}

#[tokio::test]
async fn the_first_request_uses_the_open_connection() {
    let (listener, client) = server().await;
    let serving = tokio::spawn(async move {
        // Both requests use one connection.
        let (mut stream, _) = listener.accept().await.unwrap();
        let opening = request(&mut stream).await;
        answer(&mut stream).await;
        let first = request(&mut stream).await;
        answer(&mut stream).await;
        (opening, first)
    });
    connect(&client).await;
    get(&client).await;
    let (opening, first) = serving.await.unwrap();
    assert!(opening.starts_with("get / http/1.1\r\n"), "{opening}");
    assert!(!opening.contains("authorization"), "{opening}");
    assert!(first.contains("x-amz-target: dynamodb_20120810.getitem"), "{first}");
}

#[tokio::test]
async fn a_function_starts_without_dynamodb() {
    let (listener, client) = server().await;
    drop(listener);
    connect(&client).await;
}

#[tokio::test]
async fn a_dead_connection_costs_one_attempt_and_not_the_call() {
    let (listener, client) = server().await;
    let serving = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        request(&mut first).await;
        answer(&mut first).await;
        // The client cannot see that the connection is dead before it uses it.
        request(&mut first).await;
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        request(&mut second).await;
        answer(&mut second).await;
    });
    get(&client).await;
    get(&client).await;
    serving.await.unwrap();
}

/// A call without an answer ends after 8 s, which is less than the shortest time-out of a function.
#[tokio::test]
async fn a_call_without_an_answer_times_out() {
    let server = MockServer::start().await;
    let never = ResponseTemplate::new(200).set_delay(Duration::from_hours(1));
    Mock::given(any()).respond_with(never).mount(&server).await;
    let aws = account::at(&server.uri()).await;
    let (table, queue) = (Client::new(&aws), aws_sdk_sqs::Client::new(&aws));
    let key = AttributeValue::S("1".into());
    let got = table.get_item().table_name("t").key("id", key).send();
    let sent =
        queue.send_message().queue_url(format!("{}/q", server.uri())).message_body("1").send();
    let (got, sent) = tokio::join!(got, sent);
    assert!(matches!(got, Err(SdkError::TimeoutError(_))), "{got:?}");
    assert!(matches!(sent, Err(SdkError::TimeoutError(_))), "{sent:?}");
}
