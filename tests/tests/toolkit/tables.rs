//! `shared::table` on a real DynamoDB API, and with the answers that only AWS gives.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::table::{Table, key};
use shared::transaction::Sent;
use shared::write;
use testing::account;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Thing {
    number: u32,
    text: String,
}

async fn table() -> Table {
    let aws = account::empty().await;
    let name = account::table_named(&aws, "things", &["pk", "sk"]).await;
    Table::new(aws_sdk_dynamodb::Client::new(&aws), name)
}

/// DynamoDB reads at most 1 MB for one request.
#[tokio::test]
async fn all_items_of_a_large_partition_are_read() {
    let table = table().await;
    for number in 0..5 {
        let thing = Thing { number, text: "x".repeat(300_000) };
        let put = table.put(key("LARGE", format!("THING#{number}")), &thing).unwrap();
        write::send("things.put", put).await.unwrap();
    }
    let things: Vec<Thing> = table.all("LARGE", "THING#").await.unwrap();
    assert_eq!(things.iter().map(|thing| thing.number).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(table.all::<Thing>("LARGE", "").await.unwrap().len(), 5);
    assert_eq!(table.all::<Thing>("LARGE", "OTHER#").await.unwrap(), []);
}

#[tokio::test]
async fn a_new_item_replaces_none() {
    let table = table().await;
    let thing = |number| Thing { number, text: String::new() };
    let add = async |number, token| {
        let write = table.new_item(key("A", "THING"), &thing(number)).unwrap();
        table.transact("things.add", token, vec![write]).await.unwrap()
    };
    assert!(matches!(add(1, "first").await, Sent::Made));
    assert!(matches!(add(2, "second").await, Sent::Refused { index: 0, .. }));
    assert_eq!(table.get(key("A", "THING")).await.unwrap(), Some(thing(1)));
    assert_eq!(table.get::<Thing>(key("A", "OTHER")).await.unwrap(), None);
}

/// A request for more than 16 MB, or under throttling, leaves keys unprocessed. A key without an item is
/// processed, and is in no part of the response.
#[tokio::test]
async fn unprocessed_keys_are_read_again() {
    let server = MockServer::start().await;
    let item = |number: u32| json!({"number": {"N": number.to_string()}, "text": {"S": ""}});
    for (items, unprocessed) in [
        (json!([]), keys(&["1", "2"])),
        (json!([item(1)]), keys(&["2"])),
        (json!([item(2)]), json!({})),
    ] {
        let answer = json!({"Responses": {"things": items}, "UnprocessedKeys": unprocessed});
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        let post = Mock::given(method("POST")).respond_with(answer);
        post.up_to_n_times(1).expect(1).mount(&server).await;
    }
    let wanted = ["0", "1", "2"].map(|sk| key("A", sk)).to_vec();
    let things: Vec<Thing> = things_at(&server).await.batch(wanted).await.unwrap();
    assert_eq!(things.iter().map(|thing| thing.number).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_processed_is_an_error() {
    let server = MockServer::start().await;
    let answer = json!({"Responses": {}, "UnprocessedKeys": keys(&["1"])});
    let answer = ResponseTemplate::new(200).set_body_json(answer);
    Mock::given(method("POST")).respond_with(answer).expect(1).mount(&server).await;
    let read = things_at(&server).await.batch::<Thing>(vec![key("A", "1")]).await;
    assert!(read.unwrap_err().trail().contains("none of the keys"));
}

/// Unprocessed keys, as DynamoDB names them.
fn keys(sks: &[&str]) -> Value {
    let keys: Vec<_> = sks.iter().map(|sk| json!({"pk": {"S": "A"}, "sk": {"S": sk}})).collect();
    json!({ "things": { "Keys": keys } })
}

/// The table `things` of a server in place of DynamoDB.
async fn things_at(server: &MockServer) -> Table {
    let aws = account::at(&server.uri()).await;
    Table::new(aws_sdk_dynamodb::Client::new(&aws), "things".into())
}

#[tokio::test]
async fn more_keys_than_one_request_takes_are_read() {
    let table = table().await;
    for number in [0, 99, 100, 149] {
        let thing = Thing { number, text: String::new() };
        let put = table.put(key("MANY", format!("{number:03}")), &thing).unwrap();
        write::send("things.put", put).await.unwrap();
    }
    let keys = (0..150).map(|number| key("MANY", format!("{number:03}"))).collect();
    let mut things: Vec<Thing> = table.batch(keys).await.unwrap();
    things.sort_by_key(|thing| thing.number);
    assert_eq!(things.iter().map(|thing| thing.number).collect::<Vec<_>>(), [0, 99, 100, 149]);
}
