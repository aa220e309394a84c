//! `shared::table` on a real DynamoDB API, and with the answers that only AWS gives.

use serde::{Deserialize, Serialize};
use serde_json::json;
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

/// A request for more than 16 MB, or under throttling, leaves keys unprocessed.
#[tokio::test]
async fn unprocessed_keys_are_read_again() {
    let server = MockServer::start().await;
    let item = |number: u32| json!({"number": {"N": number.to_string()}, "text": {"S": ""}});
    let left = json!({"things": {"Keys": [{"pk": {"S": "A"}, "sk": {"S": "2"}}]}});
    let first = json!({"Responses": {"things": [item(1)]}, "UnprocessedKeys": left});
    let second = json!({"Responses": {"things": [item(2)]}, "UnprocessedKeys": {}});
    for answer in [first, second] {
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        let post = Mock::given(method("POST")).respond_with(answer);
        post.up_to_n_times(1).expect(1).mount(&server).await;
    }
    let aws = account::at(&server.uri()).await;
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), "things".into());
    let things: Vec<Thing> = table.batch(vec![key("A", "1"), key("A", "2")]).await.unwrap();
    assert_eq!(things.iter().map(|thing| thing.number).collect::<Vec<_>>(), [1, 2]);
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
