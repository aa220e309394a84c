use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const LIMITS: Limits =
    Limits { connect: Duration::from_secs(2), total: Duration::from_millis(500), answer: 1_000 };

#[tokio::test]
async fn a_guarded_client_requests_public_https_only() {
    let outbound = Outbound::guarded(LIMITS, false).unwrap();
    for (url, why) in [
        ("http://1.1.1.1/", Unsafe::NotHttps),
        ("ftp://1.1.1.1/", Unsafe::NotHttps),
        ("https://user@1.1.1.1/", Unsafe::NotHttps),
        ("nonsense", Unsafe::NotHttps),
        ("https://127.0.0.1/", Unsafe::Private),
        ("https://2130706433/", Unsafe::Private),
        ("https://0177.0.0.1/", Unsafe::Private),
        ("https://0x7f000001/", Unsafe::Private),
        ("https://127.1/", Unsafe::Private),
        ("https://[::1]/", Unsafe::Private),
        ("https://[::ffff:7f00:1]/", Unsafe::Private),
        ("https://[::ffff:10.0.0.1]/", Unsafe::Private),
        ("https://[3fff::1]/", Unsafe::Private),
        ("https://localhost/", Unsafe::Private),
    ] {
        assert_eq!(outbound.check(url).await.unwrap_err(), why, "{url}");
        let failure = outbound.request(Method::POST, url).send_for_status().await.unwrap_err();
        assert!(matches!(failure, Failure::Unsafe(found) if found == why), "{url}: {failure:?}");
    }
    assert!(outbound.check("https://1.1.1.1/hook").await.is_ok());
}

#[tokio::test]
async fn a_name_that_becomes_private_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let lookups = Arc::new(AtomicUsize::new(0));
    let answers = lookups.clone();
    let resolver = Resolver::asking(false, move |_| {
        let first = answers.fetch_add(1, Ordering::Relaxed) == 0;
        let address = if first { "1.1.1.1:0" } else { "127.0.0.1:0" };
        vec![address.parse().unwrap()]
    });
    let outbound = Outbound::resolving_by(resolver, LIMITS).unwrap();
    let url = format!("https://rebind.example.org:{}/", listener.local_addr().unwrap().port());
    outbound.check(&url).await.unwrap();
    let failure = outbound.request(Method::POST, &url).send().await.unwrap_err();
    assert_eq!(failure.class(), "private_address", "{failure:?}");
    assert_eq!(lookups.load(Ordering::Relaxed), 2, "the connector resolves the name");
    let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(connected.is_err(), "there is no connection");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(307).insert_header("location", "/elsewhere");
    Mock::given(path("/here")).respond_with(answer).mount(&server).await;
    let url = format!("{}/here", server.uri());
    for outbound in both() {
        let head = outbound.request(Method::POST, &url).send_for_status().await.unwrap();
        assert_eq!(head.status, 307);
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

fn both() -> [Outbound; 2] {
    [Outbound::guarded(LIMITS, true).unwrap(), Outbound::unguarded(LIMITS).unwrap()]
}

#[tokio::test]
async fn a_long_response_is_an_error_unless_only_its_status_is_read() {
    let server = MockServer::start().await;
    for (at, size) in [("/long", 1_001), ("/full", 1_000)] {
        let answer = ResponseTemplate::new(200).set_body_string("a".repeat(size));
        Mock::given(path(at)).respond_with(answer).mount(&server).await;
    }
    let at = |path: &str| format!("{}{path}", server.uri());
    for outbound in both() {
        let get = |path| outbound.request(Method::GET, &at(path));
        assert_eq!(get("/full").send().await.unwrap().body.len(), 1_000);
        let failure = get("/long").send().await.unwrap_err();
        assert!(matches!(failure, Failure::AnswerTooLong(1_000)), "{failure:?}");
        assert_eq!(get("/long").send_for_status().await.unwrap().status, 200);
    }
}

/// A server that reads the request and then writes `answer`. It counts its connections.
async fn server(answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.unwrap_or(0) > 0 {
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, connections)
}

#[tokio::test]
async fn a_request_ends_within_its_time_limit() {
    // No response, and a body that never ends.
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"] {
        let (url, _) = server(answer).await;
        for outbound in both() {
            let start = std::time::Instant::now();
            let failure = outbound.request(Method::GET, &url).send().await.unwrap_err();
            assert!(matches!(failure, Failure::Timeout(_)), "{failure:?}");
            assert!(start.elapsed() < 3 * LIMITS.total);
        }
    }
}

#[tokio::test]
async fn a_connection_is_reused() {
    let (url, connections) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    for outbound in both() {
        let before = connections.load(Ordering::Relaxed);
        for _ in 0..3 {
            outbound.request(Method::GET, &url).send_for_status().await.unwrap();
            outbound.request(Method::GET, &url).send().await.unwrap();
        }
        assert_eq!(connections.load(Ordering::Relaxed) - before, 1);
    }
}

#[tokio::test]
async fn an_error_does_not_contain_the_url() {
    let secret = "s3cret";
    for outbound in both() {
        for url in [
            format!("http://127.0.0.1:1/{secret}?key={secret}"),
            format!("http://no-such-host.invalid/{secret}"),
            format!("nonsense {secret}"),
        ] {
            let failure = outbound.request(Method::GET, &url).send().await.unwrap_err();
            let text = format!("{failure:?} {failure} {}", crate::error::trail(&failure));
            assert!(!text.contains(secret), "{text}");
        }
    }
}
