//! A separate AWS account for each test: in the local AWS, any 12 digits are an account, isolated from
//! the others.
//!
//! Tests configure their clients with `shared::aws::loader()`, as production does. The differences:
//!
//! | setting | reason |
//! |---|---|
//! | endpoint, region, credentials | the local AWS, and an account that no other test uses |
//! | 30 s to connect, and no other time-outs | the local AWS is one process, and thousands of concurrent calls wait for it; tests with a slow server use the time-outs of production: [`at`] |
//! | bucket names in the path, for S3 | the local AWS has no host name for each bucket |

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    VersioningConfiguration,
};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;
use ulid::Ulid;

use crate::endpoint;

/// The region of all resources.
pub const REGION: &str = "eu-central-1";

/// The configuration of a new, empty account.
pub async fn empty() -> SdkConfig {
    configured(&format!("{:012}", Ulid::generate().random() % 1_000_000_000_000)).await
}

/// The configuration of the account of the deployed stack.
pub async fn deployed() -> SdkConfig {
    configured("test").await
}

/// The configuration of production, with its time-outs and retries, for a server of the test at `url`.
pub async fn at(url: &str) -> SdkConfig {
    elsewhere(url, "test", None).await
}

/// The configuration of production for the account of `aws`, through a proxy of the test at `url`.
pub async fn through(url: &str, aws: &SdkConfig) -> SdkConfig {
    let credentials = aws.credentials_provider().expect("the account has credentials");
    let credentials = credentials.provide_credentials().await.expect("they are static");
    elsewhere(url, credentials.access_key_id(), None).await
}

async fn configured(access_key: &str) -> SdkConfig {
    // Sets every field, so that no time-out of production is left.
    let patience = TimeoutConfig::disabled().into_builder();
    let patience = patience.connect_timeout(Duration::from_secs(30)).build();
    elsewhere(&endpoint(), access_key, Some(patience)).await
}

async fn elsewhere(url: &str, access_key: &str, timeouts: Option<TimeoutConfig>) -> SdkConfig {
    let credentials = Credentials::new(access_key, "test", None, None, "tests");
    let mut loader = shared::aws::loader()
        .region(Region::new(REGION))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials));
    if let Some(timeouts) = timeouts {
        loader = loader.timeout_config(timeouts);
    }
    loader.load().await
}

/// A client for S3 with bucket names in the path.
#[must_use]
pub fn s3(aws: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(aws).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// Creates a table with these string keys: the partition key, then the sort key if there is one. Gives
/// its name.
pub async fn table(aws: &SdkConfig, keys: &[&str]) -> String {
    table_named(aws, "table", keys).await
}

/// Creates a table with this name; see [`table`].
pub async fn table_named(aws: &SdkConfig, name: &str, keys: &[&str]) -> String {
    let mut request = aws_sdk_dynamodb::Client::new(aws)
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, key_type) in keys.iter().zip([KeyType::Hash, KeyType::Range]) {
        request = request
            .attribute_definitions(attribute(name, ScalarAttributeType::S))
            .key_schema(key(name, key_type));
    }
    request.send().await.unwrap();
    name.to_owned()
}

/// Creates a table with this name, with the string keys `pk` and `sk`, and the index `due` with the keys
/// `due_shard` (a string) and `due_at` (a number), which has only the keys of the items.
pub async fn table_with_due(aws: &SdkConfig, name: &str) -> String {
    let due = GlobalSecondaryIndex::builder()
        .index_name("due")
        .key_schema(key("due_shard", KeyType::Hash))
        .key_schema(key("due_at", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    aws_sdk_dynamodb::Client::new(aws)
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_shard", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(due)
        .send()
        .await
        .unwrap();
    name.to_owned()
}

fn attribute(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

/// Creates a bucket with versioning; gives its name.
pub async fn bucket(aws: &SdkConfig) -> String {
    let name = format!("bucket-{}", Ulid::generate().to_string().to_lowercase());
    let s3 = s3(aws);
    let here = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(REGION))
        .build();
    s3.create_bucket().bucket(&name).create_bucket_configuration(here).send().await.unwrap();
    let enabled =
        VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning()
        .bucket(&name)
        .versioning_configuration(enabled)
        .send()
        .await
        .unwrap();
    name
}

/// Creates a queue; gives its URL.
pub async fn queue(aws: &SdkConfig) -> String {
    queue_named(aws, "queue").await
}

/// Creates a queue with this name; gives its URL.
pub async fn queue_named(aws: &SdkConfig, name: &str) -> String {
    let sqs = aws_sdk_sqs::Client::new(aws);
    let made = sqs.create_queue().queue_name(name).send().await.unwrap();
    made.queue_url.unwrap()
}

/// Creates a FIFO queue that drops a message that is sent again; gives its URL.
pub async fn fifo_named(aws: &SdkConfig, name: &str) -> String {
    let sqs = aws_sdk_sqs::Client::new(aws);
    let made = sqs
        .create_queue()
        .queue_name(format!("{name}.fifo"))
        .attributes(QueueAttributeName::FifoQueue, "true")
        .attributes(QueueAttributeName::ContentBasedDeduplication, "true");
    made.send().await.unwrap().queue_url.unwrap()
}

/// Creates a queue that gets the events of `source` on a bus; gives its URL. A message is the event's
/// envelope.
pub async fn subscriber(aws: &SdkConfig, bus: &str, source: &str) -> String {
    let rule = format!("subscriber-{}", Ulid::generate());
    let queue_url = queue_named(aws, &rule).await;
    let sqs = aws_sdk_sqs::Client::new(aws);
    let request = sqs.get_queue_attributes().queue_url(&queue_url);
    let attributes = request.attribute_names(QueueAttributeName::QueueArn).send().await.unwrap();
    let arn = &attributes.attributes.unwrap()[&QueueAttributeName::QueueArn];
    let events = aws_sdk_eventbridge::Client::new(aws);
    let pattern = json!({ "source": [source] }).to_string();
    events.put_rule().event_bus_name(bus).name(&rule).event_pattern(pattern).send().await.unwrap();
    let target = Target::builder().id("queue").arn(arn).input_path("$.detail").build().unwrap();
    let added = events.put_targets().event_bus_name(bus).rule(rule).targets(target).send().await;
    assert_eq!(added.unwrap().failed_entry_count, 0);
    queue_url
}

/// The number of messages in a queue: visible and delayed.
pub async fn queue_size(aws: &SdkConfig, queue_url: &str) -> usize {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let sqs = aws_sdk_sqs::Client::new(aws);
    let request = sqs.get_queue_attributes().queue_url(queue_url);
    let answer = request.set_attribute_names(Some(names.to_vec())).send().await.unwrap();
    let attributes = answer.attributes.unwrap();
    names.iter().map(|name| attributes[name].parse::<usize>().unwrap()).sum()
}

/// Receives and deletes all messages of a queue; gives their bodies.
pub async fn drain(aws: &SdkConfig, queue_url: &str) -> Vec<String> {
    let sqs = aws_sdk_sqs::Client::new(aws);
    let mut bodies = Vec::new();
    loop {
        let request = sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
        let received = request.send().await.unwrap().messages.unwrap_or_default();
        if received.is_empty() {
            return bodies;
        }
        for message in received {
            bodies.push(message.body.unwrap());
            let handle = message.receipt_handle.unwrap();
            sqs.delete_message().queue_url(queue_url).receipt_handle(handle).send().await.unwrap();
        }
    }
}
