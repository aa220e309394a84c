//! Budgets: concurrent requests never use more than the limit.

use std::time::Duration;

use documents::allowance::MODEL_TOKENS;
use documents::document::Status;
use documents::stage::{Problem, Waiting};
use documents::stages::LONGEST_WAIT;
use futures::future::join_all;
use serde_json::json;
use shared::budget::{Budget, Use};
use shared::fault::{Run, walk};
use testing::pdf;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{System, model, schema, system};

/// How much the tenant has used of a budget today.
pub(crate) async fn used(s: &System, name: &'static str) -> u64 {
    let none = Budget { name, limit: 0 };
    let taken = s.budgets.take(&s.tenant.to_string(), (none, u64::MAX >> 1)).await.unwrap();
    taken.unwrap_err().used
}

const PAGES: Budget = Budget { name: "pages", limit: 100 };

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_takes_use_exactly_the_limit() {
    let s = system().await;
    let subject = s.tenant.to_string();
    // 40 takes of 7 from 100: 14 succeed.
    let all: Vec<Use> = vec![(PAGES, 7); 40];
    let (budgets, tenant) = (&s.budgets, &subject);
    let requests = all.into_iter().map(|wanted| async move {
        loop {
            // An error: the transaction conflicted with others in every try.
            if let Ok(taken) = budgets.take(tenant, wanted).await {
                return taken;
            }
        }
    });
    let taken: Vec<_> = join_all(requests).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(taken.len(), 14);
    assert_eq!(used(&s, "pages").await, 98);

    // Settling gives back the unused part, once.
    for _ in 0..2 {
        s.budgets.settle(&taken[0], 2).await.unwrap();
    }
    assert_eq!(used(&s, "pages").await, 93);
    s.budgets.take(&subject, (PAGES, 7)).await.unwrap().unwrap();
    let refused = s.budgets.take(&subject, (PAGES, 1)).await.unwrap().unwrap_err();
    assert_eq!(
        (refused.used, refused.renewed_at().to_string()),
        (100, "2026-11-22T00:00:00Z".into())
    );

    // Each subject and each day has its own budget.
    s.budgets.take("another", (PAGES, 100)).await.unwrap().unwrap();
    s.advance(Duration::from_hours(14));
    s.budgets.take(&subject, (PAGES, 100)).await.unwrap().unwrap();
    let too_much = s.budgets.take("third", (PAGES, 101)).await.unwrap();
    assert!(too_much.is_err(), "more than a whole day's budget");
}

#[tokio::test]
async fn a_fault_never_makes_the_count_too_low() {
    walk(async |run: Run| {
        let s = system().await;
        let subject = s.tenant.to_string();
        let first = run.attempt(async {
            let taken = s.budgets.take(&subject, (PAGES, 30)).await?;
            if let Ok(taken) = taken {
                s.budgets.settle(&taken, 10).await?;
            }
            s.budgets.count(&subject, &[("pages", 5)], "one").await
        });
        let first = first.await;
        let _ = first.resume().await;
        s.budgets.count(&subject, &[("pages", 5)], "one").await.unwrap();
        let used = used(&s, "pages").await;
        // 10 + 5; or 30 + 5 if an answer was lost or the worker crashed; or only 5 if nothing was taken.
        assert!([5, 15, 35].contains(&used), "{used}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_waits_for_tokens_and_after_a_day_is_ready_without_data() {
    let mut s = system().await;
    let server = MockServer::start().await;
    let answer = json!({
        "choices": [{"message": {"role": "assistant", "content": "{\"title\": \"Security\"}"},
                     "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 20}
    });
    let respond = ResponseTemplate::new(200).set_body_json(answer);
    Mock::given(method("POST")).respond_with(respond).mount(&server).await;
    s.model = model(&server.uri());
    s.daily_tokens = 210_000;
    let wanted = json!({"type": "object", "properties": {"title": {"type": "string"}}});
    let title = schema("title@1");
    assert!(s.documents.add_schema(s.tenant, &title, &wanted.to_string()).await.unwrap());
    let upload = async |name: &str| {
        let title = title.clone();
        s.uploaded_with(pdf(name), |document| document.announced.schema = Some(title)).await
    };

    let first = s.run(upload("statement.pdf").await).await;
    let found = first.stages.structure.unwrap().result.unwrap();
    let tokens = found.input_tokens + found.output_tokens;
    assert!(tokens >= 1020);
    assert_eq!(used(&s, MODEL_TOKENS).await, tokens, "exactly the used tokens");

    // Another document uses the rest of the day's budget.
    let rest = Budget { name: MODEL_TOKENS, limit: s.daily_tokens };
    s.budgets.take(&s.tenant.to_string(), (rest, s.daily_tokens - tokens)).await.unwrap().unwrap();
    let requests = server.received_requests().await.unwrap().len();
    let id = upload("x11-security.pdf").await;
    let document = s.run(id).await;
    assert_eq!(document.waiting, Some(Waiting::Budget));
    assert_eq!(document.status_at(s.clock.now()), Status::BudgetPending);
    assert_eq!(server.received_requests().await.unwrap().len(), requests, "no model call");

    // The next day's budget is sufficient.
    let other = upload("invoice-pdfa2b.pdf").await;
    assert_eq!(s.run(other).await.waiting, Some(Waiting::Budget));
    s.advance(Duration::from_hours(14));
    s.deliver(documents::stage::Stage::Structure, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!(document.status, Status::Ready);
    assert_eq!(document.stages.structure.unwrap().result.unwrap().problem, None);

    // Waiting for tokens does not count as waiting for the model.
    s.advance(LONGEST_WAIT);
    s.model = model("http://127.0.0.1:9");
    s.deliver(documents::stage::Stage::Structure, other, 1).await.unwrap();
    let document = s.document(other).await;
    assert_eq!((document.waiting, document.status), (Some(Waiting::Model), Status::Processing));
    s.model = model(&server.uri());

    // Without tokens for a day, the document is ready without data, and the result gives the reason.
    s.budgets.take(&s.tenant.to_string(), (rest, s.daily_tokens)).await.unwrap().unwrap();
    s.deliver(documents::stage::Stage::Structure, other, 1).await.unwrap();
    assert_eq!(s.document(other).await.waiting, Some(Waiting::Budget));
    s.advance(LONGEST_WAIT + Duration::from_secs(1));
    s.budgets.take(&s.tenant.to_string(), (rest, s.daily_tokens)).await.unwrap().unwrap();
    s.deliver(documents::stage::Stage::Structure, other, 1).await.unwrap();
    let document = s.document(other).await;
    assert_eq!(document.status, Status::Ready);
    let found = document.stages.structure.unwrap().result.unwrap();
    assert_eq!((found.problem, found.input_tokens), (Some(Problem::Budget), 0));
}
