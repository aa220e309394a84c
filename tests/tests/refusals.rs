//! Errors in files, forms and requests: each has a reason that the user can read.

use reqwest::Method;
use serde_json::json;
use testing::pdf;
use testing::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_job_goes_to_the_dead_letter_queue_at_once_with_the_reason() {
    let stack = Stack::deployed().await;
    let sqs = aws_sdk_sqs::Client::new(&stack.aws);
    let send = sqs.send_message().queue_url(stack.output("DocumentsValidateQueueUrl"));
    send.message_body(r#"{"version":"9"}"#).send().await.unwrap();
    let reason = loop {
        let receive =
            sqs.receive_message().queue_url(stack.output("DocumentsValidateDeadLettersUrl"));
        let receive = receive.wait_time_seconds(5).message_attribute_names("All");
        let received = receive.send().await.unwrap().messages.unwrap_or_default();
        let is_ours = |message: &&aws_sdk_sqs::types::Message| {
            message.body.as_deref() == Some(r#"{"version":"9"}"#)
        };
        if let Some(message) = received.iter().find(is_ours) {
            let reason = &message.message_attributes.as_ref().unwrap()["failure_reason"];
            break reason.string_value.clone().unwrap();
        }
    };
    assert!(reason.contains("unknown variant `9`"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_files_fail_with_a_reason() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    for (file, reason) in [
        ("picture.pdf", "not_a_pdf"),
        ("text.pdf", "not_a_pdf"),
        ("zip.pdf", "not_a_pdf"),
        ("header-only.pdf", "damaged"),
        ("truncated.pdf", "damaged"),
        ("no-pages.pdf", "damaged"),
        ("password.pdf", "password_protected"),
        ("flate-bomb.pdf", "limit"),
    ] {
        let id = user.upload(file, pdf(&format!("bad/{file}"))).await;
        let document = user.settled(&id).await;
        assert_eq!(document["status"], "rejected", "{file}: {document}");
        let rejection = &document["rejection"];
        assert_eq!(rejection["reason"], "invalid", "{file}");
        assert_eq!(rejection["reasons"][0]["code"], reason, "{file}: {rejection}");
        assert!(rejection["explanation"].as_str().unwrap().ends_with('.'), "{file}");
        assert!(document.get("text_url").is_none(), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_accepts_only_the_announced_file() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let file = pdf("statement.pdf");
    let created = user.announce("statement.pdf", file.len()).await.body;
    let form = &created["upload"];

    let mut longer = file.clone();
    longer.push(b'\n');
    for (what, bytes, code) in [
        ("longer", longer, "EntityTooLarge"),
        ("shorter", file[1..].to_vec(), "EntityTooSmall"),
        ("empty", Vec::new(), "EntityTooSmall"),
    ] {
        let (status, answer) = stack.post(form, bytes).await;
        assert_eq!(status, 400, "{what}: {answer}");
        assert!(answer.contains(code), "{what}: {answer}");
    }

    for (field, value) in [
        ("key", "uploads/usr_01M7YRRT800000000000000000/doc_01M7YRRT800000000000000000.pdf"),
        ("Content-Type", "text/html"),
        ("x-amz-signature", "0000000000000000000000000000000000000000000000000000000000000000"),
    ] {
        let mut form = form.clone();
        form["fields"][field] = json!(value);
        let (status, answer) = stack.post(&form, file.clone()).await;
        assert_eq!(status, 403, "{field}: {answer}");
    }

    let path = format!("/v1/documents/{}", created["document"]["id"].as_str().unwrap());
    assert_eq!(user.get(&path).await.body["status"], "awaiting_upload");
    let (status, answer) = stack.post(form, file).await;
    assert_eq!(status, 201, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_size_is_refused_at_once() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    for (size, problem) in [(0, "file-empty"), (209_715_201, "file-too-large")] {
        let answer = user.announce("file.pdf", size).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.problem(), problem);
        assert_eq!(answer.body["errors"][0]["field"], "size");
        assert_eq!(answer.content_type, "application/problem+json");
        assert!(answer.body["request_id"].is_string());
    }
    assert_eq!(user.announce("file.pdf", 209_715_200).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_users_document_does_not_exist() {
    let stack = Stack::deployed().await;
    let (owner, other) = (stack.new_user().await, stack.new_user().await);
    let created = owner.announce("secret.pdf", 100).await.body;
    let path = format!("/v1/documents/{}", created["document"]["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.status, 200);

    let answer = other.get(&path).await;
    let unknown = other.get("/v1/documents/doc_01M7YRRT800000000000000000").await;
    assert_eq!((answer.status.as_u16(), answer.problem()), (404, "not-found"));
    assert_eq!(answer.body["detail"], unknown.body["detail"]);
    assert_eq!(other.get("/v1/documents").await.body["documents"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_request_names_the_invalid_field() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let answer = user.get("/v1/documents/usr_01M7YRRT800000000000000000").await;
    assert_eq!((answer.status.as_u16(), answer.problem()), (400, "invalid-parameter"));
    assert_eq!(answer.body["errors"][0]["field"], "document_id");

    for (query, field) in [("limit=0", "limit"), ("limit=101", "limit"), ("cursor=x", "cursor")] {
        let answer = user.get(&format!("/v1/documents?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.body["errors"][0]["field"], field, "{query}");
    }
    assert_eq!(user.get("/v1/documents?limit=many").await.status, 400);

    for (body, problem, field) in [
        (json!({"size": 1}), "invalid-body", "name"),
        (json!({"name": "a.pdf"}), "invalid-body", "size"),
        (json!({"name": "a.pdf", "size": -1}), "invalid-body", "size"),
        (json!({"name": "", "size": 1}), "invalid-name", "name"),
        (json!({"name": "a.pdf", "size": 1, "owner": "usr_x"}), "invalid-body", "owner"),
    ] {
        let path = "/v1/documents";
        let answer = stack.call(Method::POST, path, Some(&user.token), Some(body)).await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (422, problem), "{field}");
        assert_eq!(answer.body["errors"][0]["field"], field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_valid_token_is_refused() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let (head, signature) = user.token.rsplit_once('.').unwrap();
    let get = async |token| stack.call(Method::GET, "/v1/documents", token, None).await.status;
    assert_eq!(get(None).await, 401);
    assert_eq!(get(Some("nonsense")).await, 403);
    let forged = format!("{head}.{}", signature.replace(|c| c != 'A', "A"));
    assert_eq!(get(Some(&forged)).await, 403);
    assert_eq!(get(Some(&user.token)).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_cannot_set_roles() {
    let stack = Stack::deployed().await;
    let body = json!({"email": "m@example.org", "roles": ["admin"]});
    let answer = stack.call(Method::POST, "/v1/auth/register", None, Some(body)).await;
    assert_eq!((answer.status.as_u16(), answer.problem()), (422, "invalid-body"));
    assert_eq!(answer.body["errors"][0]["field"], "roles");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let mut answers = Vec::new();
    for email in [user.email.as_str(), "nobody@example.org"] {
        let body = json!({"email": email, "password": "not the right one"});
        let mut answer = stack.call(Method::POST, "/v1/auth/login", None, Some(body)).await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (401, "invalid-credentials"));
        answer.body.as_object_mut().unwrap().remove("request_id");
        answers.push(answer.body);
    }
    assert_eq!(answers[0], answers[1]);
}
