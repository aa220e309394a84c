//! Documents through an extractor, and a server whose answers each test defines: repairs, budgets, long documents.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use extraction::{Grounding, Limits, Match, ModelError, Outcome, Schema, Usage, Warning};
use serde_json::json;
use support::{completion, extractor, limits, pages, responding, server, user};
use wiremock::ResponseTemplate;

const INVOICE: &str = "Acme Ltd\nInvoice INV-7 of 21 November 2026\nTotal: EUR 1,234.50";

#[tokio::test]
async fn an_invoice_is_extracted_with_the_places_of_its_values() {
    let answer = json!({
        "number": "INV-7", "issue_date": "2026-11-21", "supplier": {"name": "ACME LTD", "address": null, "tax_id": "X1"},
        "total": "1,234.50", "lines": [], "due_date": null,
    });
    let (server, seen) = server(move |_, _| answer.to_string()).await;
    let schema = Schema::built_in("invoice").unwrap();
    let extraction =
        extractor(&server, limits()).extract(&schema, &pages(&[INVOICE])).await.unwrap();
    assert_eq!(
        extraction.value,
        json!({
            "number": "INV-7", "issue_date": "2026-11-21", "supplier": {"name": "ACME LTD", "tax_id": "X1"},
            "total": "1234.50", "lines": [],
        })
    );
    let told: Vec<_> = extraction
        .fields
        .iter()
        .map(|field| {
            (
                &*field.pointer,
                field.grounding,
                field.matched,
                field.place.as_ref().map(|place| &*place.quote),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("/issue_date", Grounding::Grounded, Some(Match::Date), Some("21 November 2026")),
            ("/number", Grounding::Grounded, Some(Match::Exact), Some("INV-7")),
            ("/supplier/name", Grounding::Grounded, Some(Match::Normalised), Some("Acme Ltd")),
            ("/supplier/tax_id", Grounding::Ungrounded, None, None),
            ("/total", Grounding::Grounded, Some(Match::Number), Some("1,234.50")),
        ]
    );
    assert_eq!(extraction.usage, Usage { input_tokens: 100, output_tokens: 20, estimated: false });
    assert_eq!((extraction.cost_micro_usd, extraction.calls, extraction.chunks), (Some(140), 1, 1));
    assert_eq!(
        (&*extraction.schema, extraction.schema_version, &*extraction.model),
        ("invoice", 1, "m")
    );
    assert_eq!(seen.lock().unwrap().len(), 1);
    // Stored results can be read again without a change.
    let stored = serde_json::to_string(&extraction).unwrap();
    assert_eq!(serde_json::from_str::<extraction::Extraction>(&stored).unwrap(), extraction);
}

#[tokio::test]
async fn an_extraction_can_run_on_any_thread() {
    let (server, _) = server(|_, _| json!({"merchant": "Shop", "total": "1"}).to_string()).await;
    let extractor = extractor(&server, limits());
    let task = tokio::spawn(async move {
        let schema = Schema::built_in("receipt").unwrap();
        extractor.extract(&schema, &pages(&["Shop 1"])).await.is_ok()
    });
    assert!(task.await.unwrap());
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_repaired() {
    let (server, seen) = server(|number, _| match number {
        0 => "I cannot say".into(),
        1 => json!({"merchant": "Shop", "total": "1,234"}).to_string(),
        _ => json!({"merchant": "Shop", "total": "1234.00"}).to_string(),
    })
    .await;
    let schema = Schema::built_in("receipt").unwrap();
    let extraction =
        extractor(&server, limits()).extract(&schema, &pages(&["Shop: 1,234"])).await.unwrap();
    assert_eq!(extraction.value, json!({"merchant": "Shop", "total": "1234.00"}));
    assert_eq!((extraction.calls, extraction.usage.total()), (3, 360));
    let seen = seen.lock().unwrap();
    assert!(!user(&seen[0]).contains("answer is wrong"));
    assert!(
        user(&seen[1]).contains("I cannot say\n</answer")
            && user(&seen[1]).contains("It is not a JSON object.")
    );
    assert!(user(&seen[2]).contains("/total: format must be format decimal"));
}

#[tokio::test]
async fn attempts_are_limited_and_the_fitting_data_is_kept() {
    let answer = json!({"merchant": "Shop", "total": "a lot", "currency": "Euro", "unasked": 1});
    let (server, _) = server(move |_, _| answer.to_string()).await;
    let schema = Schema::built_in("receipt").unwrap();
    let outcome =
        extractor(&server, limits()).extract(&schema, &pages(&["Shop"])).await.unwrap_err();
    let Outcome::Invalid(partial) = outcome else { panic!("{outcome:?}") };
    assert_eq!(partial.value, json!({"merchant": "Shop"}));
    assert_eq!(partial.calls, 3);
    let warnings =
        [Warning::UnknownProperties { page: 1, count: 1 }, Warning::Cut { page: 1, count: 2 }];
    assert_eq!(partial.warnings, warnings);
    let violations: Vec<_> =
        partial.violations.iter().map(|violation| &*violation.expected).collect();
    assert_eq!(violations, ["property \"total\""]);
}

#[tokio::test]
async fn missing_values_are_not_requested_again() {
    let (server, _) = server(|_, _| json!({"merchant": "Shop", "total": null}).to_string()).await;
    let schema = Schema::built_in("receipt").unwrap();
    let outcome =
        extractor(&server, limits()).extract(&schema, &pages(&["Shop"])).await.unwrap_err();
    assert!(!outcome.is_retryable());
    let partial = outcome.partial().unwrap();
    assert_eq!((partial.calls, partial.violations.len(), partial.warnings.len()), (1, 1, 0));
}

#[tokio::test]
async fn a_long_document_is_read_in_parts_and_merged() {
    // The server copies the values in the part that it receives.
    let (server, seen) = server(|_, body| {
        let text = user(body);
        let lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("Line: ")).collect();
        let line = |line: &&str| {
            let (name, price) = line.split_once(" = ").unwrap();
            json!({"name": name, "price": price})
        };
        json!({
            "merchant": text.contains("Corner Shop").then_some("Corner Shop"),
            "total": text.lines().find_map(|line| line.strip_prefix("Total ")),
            "items": lines.iter().map(line).collect::<Vec<_>>(),
        })
        .to_string()
    })
    .await;
    let first = (0..30).map(|n| format!("Line: thing {n} = {n}.10\n")).collect::<Vec<_>>().concat();
    let second =
        (30..60).map(|n| format!("Line: thing {n} = {n}.10\n")).collect::<Vec<_>>().concat();
    let texts = [format!("Corner Shop\n{first}"), String::new(), format!("{second}Total 1788.00")];
    let limits = Limits { chunk_tokens: 300, parallel: 4, ..limits() };
    let schema = Schema::built_in("receipt").unwrap();
    let document = pages(&texts.each_ref().map(String::as_str));
    let extraction = extractor(&server, limits).extract(&schema, &document).await.unwrap();

    assert_eq!(extraction.chunks, 2);
    assert_eq!(seen.lock().unwrap().len(), 2);
    let items = extraction.value["items"].as_array().unwrap();
    assert_eq!(items.len(), 60);
    assert!(
        items.iter().enumerate().all(|(n, item)| item["name"] == format!("thing {n}")),
        "in the order of the pages"
    );
    assert!(extraction.fields.iter().all(|field| field.grounding == Grounding::Grounded));
    let page = |pointer: &str| {
        let field = extraction.fields.iter().find(|field| field.pointer == pointer).unwrap();
        field.place.as_ref().unwrap().page
    };
    assert_eq!((page("/merchant"), page("/items/59/name"), page("/total")), (1, 3, 3));
}

#[tokio::test]
async fn a_part_with_a_truncated_answer_is_halved() {
    let (server, seen) = responding(|_, body| {
        let names: Vec<_> = user(body)
            .lines()
            .filter(|line| line.starts_with("thing"))
            .map(|line| json!({"name": line}))
            .collect();
        let long = names.len() > 40;
        let text = json!({"merchant": "Shop", "total": "1", "items": names}).to_string();
        let text = if long { &text[..200] } else { &text };
        completion(&json!({ "content": text }), if long { "length" } else { "stop" })
    })
    .await;
    let text =
        (0..70).map(|n| format!("thing number {n} of the list\n")).collect::<Vec<_>>().concat();
    let schema = Schema::built_in("receipt").unwrap();
    let extraction = extractor(&server, limits())
        .extract(&schema, &pages(&[&format!("Shop 1\n{text}")]))
        .await
        .unwrap();
    assert_eq!(extraction.value["items"].as_array().unwrap().len(), 70);
    assert_eq!((extraction.calls, extraction.chunks, seen.lock().unwrap().len()), (3, 2, 3));
}

#[tokio::test]
async fn a_small_part_with_a_truncated_answer_keeps_the_complete_data() {
    let (server, _) = responding(|_, _| {
        completion(
            &json!({"content": r#"{"merchant": "Shop", "items": [{"name": "a"}, {"name": "b"#}),
            "length",
        )
    })
    .await;
    let schema = Schema::built_in("receipt").unwrap();
    let outcome =
        extractor(&server, limits()).extract(&schema, &pages(&["Shop a b"])).await.unwrap_err();
    let partial = outcome.partial().unwrap();
    assert_eq!(partial.value, json!({"merchant": "Shop", "items": [{"name": "a"}]}));
    assert_eq!(partial.warnings, [Warning::CutOff { page: 1 }]);
}

#[tokio::test]
async fn the_token_budget_is_not_exceeded() {
    let (server, seen) = server(|_, _| "no".into()).await;
    let schema = Schema::built_in("receipt").unwrap();
    // One call reserves its question, its schema and 500 tokens, and uses 120 of them.
    let limits = Limits { total_tokens: 1_900, attempts: 100, ..limits() };
    let outcome = extractor(&server, limits).extract(&schema, &pages(&["Shop"])).await.unwrap_err();
    let Outcome::OutOfBudget(partial) = outcome else { panic!("{outcome:?}") };
    let calls = seen.lock().unwrap().len();
    assert!((1..10).contains(&calls), "{calls}");
    assert_eq!(partial.usage.total(), calls as u64 * 120);
    assert!(partial.usage.total() <= 1_900);
    assert_eq!(partial.warnings, [Warning::NoAnswer { page: 1 }]);

    let nothing = Limits { total_tokens: 10, ..limits };
    let outcome =
        extractor(&server, nothing).extract(&schema, &pages(&["Shop"])).await.unwrap_err();
    assert_eq!(outcome.partial().unwrap().warnings, [Warning::Unread { page: 1 }]);
    assert_eq!(seen.lock().unwrap().len(), calls, "no call was made");
}

#[tokio::test]
async fn text_is_bounded_before_any_call() {
    let (server, seen) = server(|_, _| "{}".into()).await;
    let schema = Schema::built_in("receipt").unwrap();
    let with = |limits| extractor(&server, limits);
    let long = "word ".repeat(500);
    let too_many = Limits { chunk_tokens: 10, chunks: 5, ..limits() };
    assert!(matches!(
        with(too_many).extract(&schema, &pages(&[&long])).await,
        Err(Outcome::TooLong)
    ));
    let too_large = Limits { text_bytes: 100, ..limits() };
    assert!(matches!(
        with(too_large).extract(&schema, &pages(&[&long])).await,
        Err(Outcome::TooLong)
    ));
    assert!(matches!(
        with(limits()).extract(&schema, &pages(&["", " \n"])).await,
        Err(Outcome::NoText)
    ));
    assert!(matches!(with(limits()).extract(&schema, &[]).await, Err(Outcome::NoText)));
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_failing_server_is_called_once_and_the_error_says_whether_to_retry() {
    let schema = Schema::built_in("receipt").unwrap();
    for (status, retryable) in [(429, true), (503, true), (401, false)] {
        let (server, seen) = responding(move |_, _| ResponseTemplate::new(status)).await;
        let outcome =
            extractor(&server, limits()).extract(&schema, &pages(&["Shop"])).await.unwrap_err();
        assert!(matches!(outcome, Outcome::Model { .. }));
        assert_eq!((outcome.is_retryable(), seen.lock().unwrap().len()), (retryable, 1));
    }
}

#[tokio::test]
async fn the_whole_extraction_has_a_time_limit() {
    let (server, _) =
        responding(|_, _| ResponseTemplate::new(200).set_delay(std::time::Duration::from_mins(1)))
            .await;
    let schema = Schema::built_in("receipt").unwrap();
    let limits = Limits { seconds: 0, ..limits() };
    let outcome = extractor(&server, limits).extract(&schema, &pages(&["Shop"])).await.unwrap_err();
    assert!(matches!(outcome, Outcome::OutOfTime { .. }) && outcome.is_retryable());
}

#[tokio::test]
async fn a_server_that_counts_no_tokens_is_estimated() {
    let (server, _) = responding(|_, _| {
        ResponseTemplate::new(200)
            .set_body_json(json!({"choices": [{"message": {"content": "{\"merchant\":\"Shop\",\"total\":\"1\"}"}}]}))
    })
    .await;
    let schema = Schema::built_in("receipt").unwrap();
    let extraction =
        extractor(&server, limits()).extract(&schema, &pages(&["Shop 1"])).await.unwrap();
    assert!(
        extraction.usage.estimated
            && extraction.usage.input_tokens > 100
            && extraction.usage.output_tokens > 5
    );
}

#[tokio::test]
async fn a_question_too_long_for_the_context_is_halved() {
    let (server, seen) = responding(|_, body| {
        if user(body).lines().filter(|line| line.starts_with("thing")).count() > 40 {
            let error = json!({"error": {"code": 400, "type": "exceed_context_size_error", "message": "too long"}});
            return ResponseTemplate::new(400).set_body_json(error);
        }
        completion(&json!({"content": "{\"merchant\": \"Shop\", \"total\": \"1\"}"}), "stop")
    })
    .await;
    let text =
        (0..70).map(|n| format!("thing number {n} of the list\n")).collect::<Vec<_>>().concat();
    let schema = Schema::built_in("receipt").unwrap();
    let extractor = extractor(&server, limits());
    assert_eq!(extractor.extract(&schema, &pages(&[&text])).await.unwrap().chunks, 2);
    assert_eq!(seen.lock().unwrap().len(), 3);
    let line = "thing ".repeat(20) + "\n" + &"thing\n".repeat(41);
    let outcome = extractor.extract(&schema, &pages(&[&line])).await.unwrap_err();
    assert!(
        matches!(outcome, Outcome::Model { error: ModelError::TooLong, .. }),
        "too small to halve: {outcome:?}"
    );
}
