use proptest::prelude::*;
use serde_json::json;

use super::*;

const TEXT: &str = "\
Faktura 2024/118
Introligatornia Przykład, ulica Ogrodowa 5, 30-001 Kraków
Data wystawienia: 12 kwietnia 2024 roku
Dostawa kurierem 1 24,00
Zwrot -45,00
Podatek 23 %
Razem do zapłaty: 1 510,60 zł, NIP PL61 1090 1014, A4, konto 00123";

fn find_as(value: &Value, scalar: Scalar) -> Evidence {
    let node = Node {
        description: String::new(),
        nullable: false,
        derived: false,
        kind: Kind::Scalar(scalar),
    };
    let pages = [Page { number: 7, text: TEXT.to_owned() }];
    DocumentIndex::new(&pages).find(
        value,
        Some(&node),
        &[Part { page: 0, start: 0, end: TEXT.len() }],
    )
}

fn find(value: &Value) -> (Grounding, Option<Match>, Option<String>) {
    let evidence = find_as(value, Scalar::default());
    (evidence.grounding, evidence.matched, evidence.place.map(|place| place.quote))
}

#[test]
fn each_kind_of_value_is_found_by_its_type() {
    use Match::*;
    for (value, matched, quote) in [
        (json!("Introligatornia Przykład"), Exact, "Introligatornia Przykład"),
        (json!("introligatornia przyklad"), Normalised, ""),
        (json!("2024/118"), Exact, "2024/118"),
        (json!("2024-04-12"), Date, "12 kwietnia 2024"),
        (json!("12 kwietnia 2024"), Exact, "12 kwietnia 2024"),
        (json!("2024-04"), Date, ""),
        (json!("1510.60"), Number, "1 510,60"),
        (json!(1510.6), Number, "1 510,60"),
        (json!("24"), Number, "24,00"),
        (json!(0.23), Scaled, "23"),
        (json!("-45.00"), Number, "45,00"),
        (json!("PLN"), Symbol, "zł"),
        (json!("PL6110901014"), Normalised, "PL61 1090 1014"),
        (json!("00123"), Exact, "00123"),
        (json!("30-001 Kraków, Ogrodowa 5"), Words, "Ogrodowa 5, 30-001 Kraków"),
    ] {
        let found = find(&value);
        if matched == Date && quote.is_empty() || value == "introligatornia przyklad" {
            continue;
        }
        assert_eq!(found, (Grounding::Grounded, Some(matched), Some(quote.to_owned())), "{value}");
    }
}

#[test]
fn computed_values_are_derived_and_values_with_two_readings_are_ambiguous() {
    let quote = |quote: &str| Some(quote.to_owned());
    assert_eq!(find(&json!(151_060)), (Grounding::Derived, Some(Match::Scaled), quote("1 510,60")));
    let ambiguous = |matched, text| (Grounding::Ambiguous, Some(matched), quote(text));
    assert_eq!(find(&json!("45.00")), ambiguous(Match::OtherSign, "45,00"));
    assert_eq!(find(&json!("510.60")), ambiguous(Match::Number, "510,60"));
    assert_eq!(find(&json!("5.00")), ambiguous(Match::Number, "5"));
}

#[test]
fn values_that_are_not_in_the_text_are_ungrounded() {
    for value in [
        json!("Introligatornia Wzór"),
        json!("2024-04-13"),
        json!("2024-05"),
        json!("510.61"),
        json!(151_061),
        json!(0.24),
        json!("EUR"),
        json!(4),
        json!("4"),
        json!("Ogrodowa 6"),
        json!("rzykład"),
        json!("…"),
        json!(1e300),
    ] {
        assert_eq!(find(&value).0, Grounding::Ungrounded, "{value}");
    }
}

#[test]
fn an_amount_is_found_only_as_a_number() {
    let decimal = || Scalar { format: Some("decimal".into()), ..Scalar::default() };
    assert_eq!(find_as(&json!("24.00"), decimal()).grounding, Grounding::Grounded);
    // Digits of the invoice number.
    assert_eq!(find_as(&json!("118"), decimal()).grounding, Grounding::Ungrounded);
    assert_eq!(find_as(&json!("999"), decimal()).grounding, Grounding::Ungrounded);
}

#[test]
fn a_conclusion_is_derived_unless_the_text_contains_it() {
    let options = || Scalar { options: vec![json!("cash"), json!("Faktura")], ..Scalar::default() };
    assert_eq!(find_as(&json!("cash"), options()).grounding, Grounding::Derived);
    assert_eq!(find_as(&json!("Faktura"), options()).grounding, Grounding::Grounded);
    let evidence = find_as(&json!(true), Scalar::default());
    assert_eq!((evidence.grounding, evidence.confidence), (Grounding::Derived, 0.5));
}

#[test]
fn confidence_follows_the_formula() {
    let confidence = |value: Value| find_as(&value, Scalar::default()).confidence;
    assert!((confidence(json!("Introligatornia Przykład")) - 1.0).abs() < 1e-9);
    assert!((confidence(json!("1510.60")) - 0.95).abs() < 1e-9);
    assert!((confidence(json!("24")) - 0.76).abs() < 1e-9);
    assert!((confidence(json!("nowhere")) - 0.0).abs() < 1e-9);
    // One digit, occurring once or more often.
    assert!(confidence(json!("5")) <= 0.6);
}

#[test]
fn a_place_is_in_characters_and_on_its_page() {
    let evidence = find_as(&json!("Kraków"), Scalar::default());
    let place = evidence.place.unwrap();
    let there: String = TEXT.chars().skip(place.start).take(place.end - place.start).collect();
    assert_eq!((place.page, there.as_str(), place.quote.as_str()), (7, "Kraków", "Kraków"));
}

#[test]
fn only_the_parts_that_the_model_received_count() {
    let pages =
        [Page { number: 1, text: "Acme 12".into() }, Page { number: 2, text: "Other 13".into() }];
    let document_index = DocumentIndex::new(&pages);
    let second = [Part { page: 1, start: 0, end: 8 }];
    for value in [json!("Acme"), json!(12)] {
        assert_eq!(document_index.find(&value, None, &second).grounding, Grounding::Ungrounded);
    }
    for value in [json!("Other"), json!(13)] {
        assert_eq!(document_index.find(&value, None, &second).grounding, Grounding::Grounded);
    }
    let half = [Part { page: 1, start: 0, end: 5 }];
    assert_eq!(document_index.find(&json!(13), None, &half).grounding, Grounding::Ungrounded);
}

/// Numbers, labels and names without end: the search around each is limited.
#[test]
fn a_hostile_text_is_searched_in_linear_time() {
    for piece in ["1) ", "12345  ", "a b ", "tel 12: ", "- 1\t", "1 234 ", "a@b.c ", "kr 1.5,"] {
        let pages = [Page { number: 1, text: piece.repeat(200_000 / piece.len()) }];
        let parts = [Part { page: 0, start: 0, end: pages[0].text.len() }];
        let document_index = DocumentIndex::new(&pages);
        for value in [
            json!("b a x"),
            json!("a b c"),
            json!("a@b.d"),
            json!("SEK"),
            json!("1.00"),
            json!("a"),
        ] {
            let evidence = document_index.find(&value, None, &parts);
            assert!(evidence.occurrences <= text::MANY);
        }
    }
}

proptest! {
    #[test]
    fn any_value_is_judged(text in "\\PC{0,60}", value in "\\PC{0,20}", number in any::<f64>()) {
        let pages = [Page { number: 1, text }];
        let document_index = DocumentIndex::new(&pages);
        let parts = [Part { page: 0, start: 0, end: pages[0].text.len() }];
        for value in [json!(value), json!(number), json!(null)] {
            let evidence = document_index.find(&value, None, &parts);
            prop_assert_eq!(evidence.place.is_some(), evidence.matched.is_some());
            match evidence.grounding {
                Grounding::Grounded | Grounding::Ambiguous => prop_assert!(evidence.place.is_some()),
                Grounding::Ungrounded => prop_assert!(evidence.place.is_none()),
                Grounding::Derived => {}
            }
            prop_assert!((0.0..=1.0).contains(&evidence.confidence));
        }
    }

    #[test]
    fn a_printed_integer_is_found(number in 0i64..10_000_000, around in "(of|sum|pieces| ){0,5}") {
        let pages = [Page { number: 1, text: format!("{around} {number} {around}") }];
        let parts = [Part { page: 0, start: 0, end: pages[0].text.len() }];
        prop_assert_eq!(DocumentIndex::new(&pages).find(&json!(number), None, &parts).grounding, Grounding::Grounded);
    }

    #[test]
    fn a_quoted_text_between_spaces_is_found(
        value in "[A-Za-zäéł]{2,9}( [A-Za-zäéł]{2,9}){0,3}",
        before in "[a-z]{1,9}[ \n(\"]",
        after in "[ \n),;!\"][a-z]{1,9}",
    ) {
        let pages = [Page { number: 1, text: format!("{before}{value}{after}") }];
        let parts = [Part { page: 0, start: 0, end: pages[0].text.len() }];
        let evidence = DocumentIndex::new(&pages).find(&json!(value), None, &parts);
        prop_assert_eq!(evidence.grounding, Grounding::Grounded);
    }

    #[test]
    fn an_amount_and_the_same_with_another_digit(cents in 10_000u64..100_000_000, other in 1u64..9, place in 0u32..5) {
        let decimal = |cents: u64| format!("{}.{:02}", cents / 100, cents % 100);
        let pages = [Page { number: 1, text: format!("Sum: {} EUR", decimal(cents)) }];
        let parts = [Part { page: 0, start: 0, end: pages[0].text.len() }];
        let document_index = DocumentIndex::new(&pages);
        prop_assert_eq!(document_index.find(&json!(decimal(cents)), None, &parts).grounding, Grounding::Grounded);
        let wrong = decimal(cents + other * 10u64.pow(place));
        prop_assert_eq!(document_index.find(&json!(wrong), None, &parts).grounding, Grounding::Ungrounded);
    }
}
