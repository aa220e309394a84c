//! Webhooks: endpoints and the log are correct at each fault.

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::Result;
use shared::batch::Failure;
use shared::fault::{Fault, Run, walk};
use shared::queue::Queue;
use shared::webhook::{FAILING_FOR, Job, KEPT, Reason, Webhook, put};
use testing::account;
use wiremock::matchers::method;
use wiremock::{Mock, ResponseTemplate};

use self::support::{About, MAX, Post, world};

fn is_retry(result: &Result<(), Failure>) -> bool {
    matches!(result, Err(Failure::Retry { .. }))
}

#[tokio::test]
async fn the_log_has_the_outcome_of_each_message() {
    let world = world().await;
    let post = world.post(500).await;
    assert!(is_retry(&post.tell(1, 1).await));
    assert_eq!(post.delivery().await, ("pending".into(), 1, json!(500), Value::Null));
    post.advance(Duration::from_secs(10));
    post.answer(204).await;
    post.tell(1, 2).await.unwrap();
    let log = post.log().await;
    let expected = json!([{
        "id": "1796032801000-msg_1",
        "message_id": "msg_1",
        "type": "number.said",
        "created_at": "2026-11-30T10:00:01Z",
        "outcome": "delivered",
        "attempts": 2,
        "last_attempt": {"at": "2026-11-30T10:00:10Z", "status": 204},
    }]);
    assert_eq!(json!(log), expected);

    // The same job again, and a late job.
    for count in [1, 2, MAX + 1] {
        post.tell(1, count).await.unwrap();
    }
    assert_eq!((post.posts().await, json!(post.log().await)), (1, expected));

    let refusing = world.post(404).await;
    for count in 1..=MAX {
        assert!(is_retry(&refusing.tell(1, count).await));
    }
    assert!(matches!(refusing.tell(1, MAX + 1).await, Err(Failure::Permanent(_))));
    assert_eq!(refusing.delivery().await, ("given_up".into(), 4, json!(404), Value::Null));
    // The job returns from the dead-letter queue.
    assert!(is_retry(&refusing.tell(1, 1).await));
    assert_eq!(refusing.delivery().await, ("pending".into(), 5, json!(404), Value::Null));
    refusing.answer(200).await;
    refusing.tell(1, 2).await.unwrap();
    assert_eq!(refusing.delivery().await.0, "delivered");

    let nowhere = world.post(200).await;
    nowhere.put(&Webhook::at("http://127.0.0.1:1/?token=s3cret".into()).unwrap()).await;
    assert!(is_retry(&nowhere.tell(1, 1).await));
    assert_eq!(nowhere.delivery().await.3, "no_connection");
    assert!(!json!(nowhere.log().await).to_string().contains("s3cret"));
}

/// Runs a job with a fault, retries it up to two times until it is done, and then resumes the first
/// attempt if it stalls.
async fn met(post: &Post, run: &Run, first: u32) {
    let attempt = run.attempt(post.tell(1, first)).await;
    for count in first + 1..first + 3 {
        if !is_retry(&post.tell(1, count).await) {
            break;
        }
    }
    attempt.resume().await;
}

#[tokio::test]
async fn a_delivery_is_recorded_at_each_fault() {
    let world = world().await;
    let points = walk(async |run: Run| {
        let post = world.post(500).await;
        assert!(is_retry(&post.tell(1, 1).await));
        assert_ne!(post.failing_since().await, Value::Null);
        post.answer(204).await;
        post.advance(Duration::from_secs(1));
        met(&post, &run, 2).await;
        let (outcome, attempts, status, _) = post.delivery().await;
        assert_eq!((outcome.as_str(), status), ("delivered", json!(204)));
        let posts = post.posts().await as u64;
        assert!((2..=posts + 1).contains(&attempts), "{attempts} of {posts} and 1");
        assert!(posts <= 3);
        assert_eq!(post.failing_since().await, Value::Null, "a success clears it");
    })
    .await;
    assert_eq!(points, ["webhook.post", "webhook.record", "webhook.succeeded"]);
}

#[tokio::test]
async fn a_410_disables_the_endpoint_at_each_fault() {
    let world = world().await;
    let points = walk(async |run: Run| {
        let post = world.post(410).await;
        met(&post, &run, 1).await;
        assert_eq!(post.reason().await, Some(Reason::Gone));
        let (outcome, ..) = post.delivery().await;
        assert_eq!(outcome, "given_up");
        let posts = post.posts().await;
        assert!((1..=3).contains(&posts), "{posts}");
        post.tell(1, 1).await.unwrap();
        assert_eq!(post.posts().await, posts, "no message is posted");
    })
    .await;
    assert_eq!(points, ["webhook.post", "webhook.gone", "webhook.record"]);
}

#[tokio::test]
async fn a_failing_endpoint_is_disabled_at_each_fault() {
    let world = world().await;
    let points = walk(async |run: Run| {
        let post = world.post(500).await;
        assert!(is_retry(&post.tell(1, 1).await));
        post.advance(FAILING_FOR);
        met(&post, &run, MAX + 1).await;
        assert_eq!(post.reason().await, Some(Reason::Failing));
        let (outcome, ..) = post.delivery().await;
        assert_eq!(outcome, "given_up");
    })
    .await;
    assert_eq!(points, ["webhook.post", "webhook.disable", "webhook.record"]);
}

#[tokio::test]
async fn the_first_failure_is_recorded_at_each_fault() {
    let world = world().await;
    let points = walk(async |run: Run| {
        let post = world.post(503).await;
        met(&post, &run, 1).await;
        let (outcome, attempts, status, _) = post.delivery().await;
        // There were two or three attempts of at most MAX + 1.
        assert_eq!((outcome.as_str(), status), ("pending", json!(503)));
        assert!(attempts >= 1 && attempts <= post.posts().await as u64);
        assert_eq!(post.failing_since().await, json!(post.clock.now()));
        assert_eq!(post.reason().await, None);
    })
    .await;
    assert_eq!(points, ["webhook.post", "webhook.failed", "webhook.record"]);
}

#[tokio::test]
async fn a_message_is_sent_again_at_each_fault() {
    let world = world().await;
    let url = account::queue(&world.aws).await;
    let queue = Queue::new(aws_sdk_sqs::Client::new(&world.aws), url.clone());
    let points = walk(async |run: Run| {
        let post = world.post(204).await;
        post.tell(1, 1).await.unwrap();
        let request = run.attempt(post.resend(1, &queue)).await;
        let is_answered = request.is_done();
        request.resume().await;
        if !is_answered {
            // The owner repeats the request.
            post.resend(1, &queue).await.unwrap();
        }
        let jobs = account::drain(&world.aws, &url).await;
        assert!(!jobs.is_empty());
        for job in jobs {
            post.job(serde_json::from_str(&job).unwrap(), 1).await.unwrap();
        }
        let (outcome, attempts, ..) = post.delivery().await;
        assert_eq!(outcome, "delivered");
        let posts = post.posts().await;
        assert!(posts >= 2, "under the same id");
        assert_eq!(attempts, posts as u64);
        // A job of an earlier delivery does nothing.
        post.tell(1, 2).await.unwrap();
        assert_eq!(post.posts().await, posts);
    })
    .await;
    assert_eq!(points, ["queue.send", "webhook.record"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_jobs_of_one_message_are_harmless() {
    let world = world().await;
    let post = world.post(204).await;
    for result in join_all((0..8).map(|_| post.tell(1, 1))).await {
        result.unwrap();
    }
    let (outcome, attempts, ..) = post.delivery().await;
    assert_eq!(outcome, "delivered");
    assert!((1..=post.posts().await as u64).contains(&attempts));

    // All requests except the first fail.
    let flaky = world.post(500).await;
    let good = ResponseTemplate::new(200);
    flaky.server.reset().await;
    let once = Mock::given(method("POST")).respond_with(good).up_to_n_times(1);
    once.mount(&flaky.server).await;
    let bad = Mock::given(method("POST")).respond_with(ResponseTemplate::new(500));
    bad.mount(&flaky.server).await;
    let results = join_all((0..8).map(|_| flaky.tell(1, 1))).await;
    assert!(results.iter().any(Result::is_ok));
    let (outcome, _, status, _) = flaky.delivery().await;
    assert_eq!((outcome.as_str(), status), ("delivered", json!(200)));
    let posts = flaky.posts().await;
    for count in 2..4 {
        flaky.tell(1, count).await.unwrap();
    }
    assert_eq!(flaky.posts().await, posts, "a delivered message is not posted again");

    let failing = world.post(500).await;
    let attempts = join_all((0..6).map(|_| failing.tell(1, 1))).await;
    assert!(attempts.iter().all(is_retry));
    assert_eq!(failing.delivery().await, ("pending".into(), 6, json!(500), Value::Null));
}

#[tokio::test]
async fn an_endpoint_is_disabled_after_five_days_without_a_success() {
    let world = world().await;
    let given_up = async |post: &Post, number: u32| {
        assert!(is_retry(&post.tell(number, 1).await));
        assert!(matches!(post.tell(number, MAX + 1).await, Err(Failure::Permanent(_))));
        post.reason().await
    };
    let post = world.post(500).await;
    assert_eq!(given_up(&post, 1).await, None);
    post.advance(FAILING_FOR.saturating_sub(Duration::from_secs(1)));
    assert_eq!(given_up(&post, 2).await, None);
    // A success restarts the five days.
    post.answer(200).await;
    post.tell(3, 1).await.unwrap();
    post.answer(500).await;
    post.advance(Duration::from_secs(10));
    assert_eq!(given_up(&post, 4).await, None);
    post.advance(FAILING_FOR.saturating_sub(Duration::from_millis(1)));
    assert_eq!(given_up(&post, 5).await, None);
    post.advance(Duration::from_millis(1));
    // The failure of a message that is retried does not disable the endpoint.
    assert!(is_retry(&post.tell(6, 1).await));
    assert_eq!(post.reason().await, None);
    assert_eq!(given_up(&post, 6).await, Some(Reason::Failing));

    post.answer(200).await;
    let queue = Queue::new(aws_sdk_sqs::Client::new(&world.aws), "http://127.0.0.1:1".into());
    post.tell(7, 1).await.unwrap();
    assert_eq!(post.posts().await, 0, "no message is posted");
    let log = post.log().await;
    assert_eq!((&log[0]["outcome"], &log[0]["attempts"]), (&json!("given_up"), &json!(0)));
    assert_eq!(log[0]["last_attempt"]["error"], "disabled");
    let refused = post.resend(7, &queue).await.unwrap_err();
    assert!(refused.trail().contains("webhook-disabled"), "{refused:?}");

    // The owner puts the endpoint again.
    let webhook = post.webhook().await;
    let courier = &post.deliver.courier;
    let (enabled, is_new) = put(Some(&webhook), &webhook.url, courier, "url").await.unwrap();
    assert!(!is_new, "the secret stays");
    post.put(&enabled).await;
    post.tell(7, 1).await.unwrap();
    assert_eq!((post.posts().await, post.reason().await), (1, None));
    assert_eq!(post.log().await[0]["outcome"], "delivered");
}

/// A success is recorded while another delivery fails.
#[tokio::test]
async fn a_success_clears_a_failure_that_it_did_not_see() {
    let world = world().await;
    let post = world.post(204).await;
    // The success has read an endpoint without failures, and stalls.
    let run = Run::with("webhook.post", Fault::StallBefore);
    let stalled = run.attempt(post.tell(1, 1)).await;
    post.answer(500).await;
    assert!(is_retry(&post.tell(2, 1).await));
    assert_ne!(post.failing_since().await, Value::Null);
    post.answer(204).await;
    stalled.resume().await.unwrap().unwrap();
    assert_eq!(post.failing_since().await, Value::Null);
}

#[tokio::test]
async fn an_earlier_attempt_does_not_disable_an_endpoint_that_was_put_again() {
    let world = world().await;
    for status in [410, 500] {
        let post = world.post(status).await;
        if status == 500 {
            assert!(is_retry(&post.tell(2, 1).await));
            post.advance(FAILING_FOR);
        }
        let run = Run::with("webhook.post", Fault::StallAfter);
        let stalled = run.attempt(post.tell(1, MAX + 1)).await;
        let again = Webhook::at(post.webhook().await.url).unwrap();
        post.put(&again).await;
        let ended = stalled.resume().await.unwrap();
        assert!(matches!(ended, Err(Failure::Permanent(_))), "{status}");
        assert_eq!(post.webhook().await, again, "{status}");
    }
}

#[tokio::test]
async fn a_message_reaches_an_endpoint_that_was_put_again_after_a_410() {
    let world = world().await;
    let post = world.post(410).await;
    let run = Run::with("webhook.post", Fault::StallAfter);
    let stalled = run.attempt(post.tell(1, 1)).await;
    post.put(&Webhook::at(post.webhook().await.url).unwrap()).await;
    assert!(is_retry(&stalled.resume().await.unwrap()));
    post.answer(204).await;
    post.tell(1, 2).await.unwrap();
    let (outcome, attempts, status, _) = post.delivery().await;
    assert_eq!((outcome.as_str(), attempts, status), ("delivered", 2, json!(204)));
}

#[tokio::test]
async fn endpoints_of_earlier_versions_are_read_and_disabled() {
    let world = world().await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for (status, reason) in [(410, Reason::Gone), (500, Reason::Failing)] {
        let post = world.post(status).await;
        post.put(&json!({"url": post.server.uri(), "secret": secret})).await;
        let _ = post.tell(1, 1).await;
        post.advance(FAILING_FOR);
        let _ = post.tell(1, MAX + 1).await;
        assert_eq!(post.reason().await, Some(reason));
    }
    let post = world.post(200).await;
    let gone =
        json!({"url": post.server.uri(), "secret": secret, "gone_at": "2026-01-01T00:00:00Z"});
    post.put(&gone).await;
    post.tell(1, 1).await.unwrap();
    assert_eq!((post.posts().await, post.reason().await), (0, Some(Reason::Gone)));
    // A job of an earlier version.
    let job: Job<About> = serde_json::from_str(r#"{"version":"1","number":7}"#).unwrap();
    assert_eq!(job, Job::V1 { about: About { number: 7 } });
    assert_eq!(serde_json::to_string(&job).unwrap(), r#"{"version":"1","number":7}"#);
}

#[tokio::test]
async fn a_message_that_can_no_longer_be_sent_is_given_up() {
    let world = world().await;
    let url = account::queue(&world.aws).await;
    let queue = Queue::new(aws_sdk_sqs::Client::new(&world.aws), url.clone());
    let post = world.post(500).await;
    // A message to a removed endpoint is not recorded.
    post.remove().await;
    post.tell(1, 1).await.unwrap();
    let webhook = Webhook::at(post.server.uri()).unwrap();
    post.put(&webhook).await;
    assert!(post.log().await.is_empty());

    assert!(is_retry(&post.tell(1, 1).await));
    post.remove().await;
    post.tell(1, 2).await.unwrap();
    post.put(&webhook).await;
    assert_eq!(
        post.delivery().await,
        ("given_up".into(), 1, Value::Null, json!("endpoint_removed"))
    );

    let shown = post.resend(1, &queue).await.unwrap();
    assert_eq!((&shown["outcome"], &shown["attempts"]), (&json!("pending"), &json!(1)));
    assert_eq!(post.delivery().await.0, "pending");
    post.numbers.are_forgotten.store(true, Ordering::SeqCst);
    for job in account::drain(&world.aws, &url).await {
        post.job(serde_json::from_str(&job).unwrap(), 1).await.unwrap();
    }
    assert_eq!(post.delivery().await, ("given_up".into(), 1, Value::Null, json!("message_gone")));
    post.tell(1, 1).await.unwrap();
    assert_eq!(post.posts().await, 1);
}

#[tokio::test]
async fn the_log_has_pages_newest_first_and_expires_after_30_days() {
    let world = world().await;
    let post = world.post(200).await;
    assert_eq!(post.page(json!({})).await, json!({"deliveries": []}));
    for number in [3, 1, 5, 2, 4] {
        post.tell(number, 1).await.unwrap();
    }
    let ids = |page: &Value| {
        let deliveries = page["deliveries"].as_array().unwrap();
        let ids = deliveries.iter().map(|it| it["message_id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let first = post.page(json!({"limit": 2})).await;
    assert_eq!(ids(&first), ["msg_5", "msg_4"]);
    let second = post.page(json!({"limit": 2, "cursor": first["next_cursor"]})).await;
    assert_eq!(ids(&second), ["msg_3", "msg_2"]);
    let third = post.page(json!({"limit": 2, "cursor": second["next_cursor"]})).await;
    assert_eq!((ids(&third), third.get("next_cursor")), (vec!["msg_1".to_owned()], None));

    // TTL may delete an item days late. An expired item is not returned.
    post.advance(KEPT);
    let page = serde_json::from_value(json!({"cursor": "bm9uZQ"})).unwrap();
    assert!(post.store.page(&post.numbers.place, &page, &post.clock).await.is_err());
    assert!(post.log().await.is_empty());
    let queue = Queue::new(aws_sdk_sqs::Client::new(&world.aws), "http://127.0.0.1:1".into());
    assert!(post.resend(1, &queue).await.unwrap_err().trail().contains("not-found"));
    post.answer(500).await;
    assert!(is_retry(&post.tell(1, 1).await), "it is posted like a new message");
    assert_eq!(post.delivery().await, ("pending".into(), 1, json!(500), Value::Null));
    let stored = post.table.client().get_item().table_name(post.table.name());
    let place = &post.numbers.place;
    let stored = stored
        .key("pk", AttributeValue::S(place.deliveries.clone()))
        .key("sk", AttributeValue::S("DELIVERY#1796032801000-msg_1".into()));
    let item = stored.send().await.unwrap().item.unwrap();
    let expires = (post.clock.now() + KEPT).as_second().to_string();
    assert_eq!(item["expires"], AttributeValue::N(expires), "the TTL attribute, in seconds");
}
