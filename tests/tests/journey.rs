//! From an upload to text, for real files of many producers.

use testing::stack::Stack;
use testing::{expected, pdf};

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_is_read_correctly() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    for (name, known) in expected() {
        let id = user.upload(&name, pdf(&name)).await;
        let document = user.settled(&id).await;
        assert_eq!(document["status"], "ready", "{name}: {document}");
        for stage in ["validate", "scan", "pdfa", "text", "structure"] {
            assert_eq!(document["stages"][stage]["attempts"], 1, "{name}: {stage}");
        }
        let contents = &document["stages"]["text"]["result"];
        assert_eq!(contents["pages"], known["pages"], "{name}");
        let title = if known["title"].is_null() { &known["xmp_title"] } else { &known["title"] };
        assert_eq!(&contents["title"], title, "{name}");
        let words = contents["words"].as_u64().unwrap();
        assert!(words >= known["words_min"].as_u64().unwrap(), "{name}: {words} words");

        let (status, text) = stack.download(document["text_url"].as_str().unwrap()).await;
        assert_eq!(status, 200, "{name}: {text}");
        assert_eq!(text.len() as u64, contents["text_bytes"].as_u64().unwrap(), "{name}");
        assert_eq!(text.matches('\u{c}').count() as u64, contents["pages"].as_u64().unwrap());
        assert!(text.starts_with(contents["excerpt"].as_str().unwrap()), "{name}");
        for phrase in known["phrases"].as_array().unwrap() {
            let phrase = phrase.as_str().unwrap();
            assert!(text.contains(phrase), "{name}: {phrase:?} is not in:\n{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_listed_in_pages_newest_first() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let mut announced = Vec::new();
    for number in 0..5 {
        let answer = user.announce(&format!("{number}.pdf"), 100).await;
        announced.push(answer.body["document"]["id"].as_str().unwrap().to_owned());
    }
    announced.reverse();

    let (mut listed, mut pages, mut query) = (Vec::new(), 0, "limit=2".to_owned());
    loop {
        let page = user.get(&format!("/v1/documents?{query}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        pages += 1;
        for document in page.body["documents"].as_array().unwrap() {
            assert_eq!(document["status"], "awaiting_upload");
            listed.push(document["id"].as_str().unwrap().to_owned());
        }
        match page.body["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((listed, pages), (announced, 3));
}
