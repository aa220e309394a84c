//! Mails: a registration and a reset of the password by a link.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::link::LIFETIME;
use auth::send_mail::{Job, Wanted};
use futures::future::join_all;
use serde_json::{Value, json};
use shared::batch::Failure;
use shared::fault::{self, Fault, Run};
use testing::mailbox::Mail;

use crate::sessions::{ADA, advance, before, with_ada};
use crate::support::{Answer, Auth, PASSWORD, SENDER, auth, sample};

const NEW: &str = "correct horse battery staple";

/// Uses a link, with `confirm` or `reset-password`.
async fn used(auth: &Auth, name: &str, token: &str, password: &str) -> Answer {
    auth.call_with(name, &json!({"token": token, "password": password})).await
}

fn invalid_link() -> (u16, &'static str) {
    (422, "invalid-link")
}

#[tokio::test]
async fn a_registration_tells_no_address_from_another() {
    let auth = auth().await;
    auth.register(ADA).await;
    for name in ["register", "forgot-password"] {
        let [known, unknown] = [ADA, "bob@example.org"].map(|email| json!({ "email": email }));
        let (known, unknown) =
            (auth.call_with(name, &known).await, auth.call_with(name, &unknown).await);
        let text = |answer: &Answer| answer.body.to_string().replace("ada@", "bob@");
        assert_eq!((known.status, text(&known)), (202, text(&unknown)));
        let names = |answer: &Answer| -> Vec<_> { answer.headers.keys().cloned().collect() };
        assert_eq!(names(&known), names(&unknown));
    }
    // Neither is there a difference in what a request does: it makes the same job.
    let jobs = auth.jobs().await;
    let of = |address: &str| jobs.iter().filter(|job| email_of(job) == address).count();
    assert_eq!((of(ADA), of("bob@example.org")), (2, 2));
}

fn email_of(Job::V1 { email, .. }: &Job) -> &str {
    email.as_str()
}

/// A request passes the same points for a known and an unknown address, up to and with its answer.
#[tokio::test]
async fn a_request_for_a_mail_does_the_same_for_every_address() {
    let mut points = Vec::new();
    for email in [ADA, "bob@example.org"] {
        let passed = fault::walk(async |run: fault::Run| {
            let auth = auth().await;
            auth.register(ADA).await;
            let address = json!({"email": email});
            run.attempt(auth.call_with("forgot-password", &address)).await.resume().await;
        });
        points.push(passed.await);
    }
    assert_eq!(points[0], points[1]);
}

#[tokio::test]
async fn each_mail_says_what_its_owner_can_do() {
    let (auth, _) = with_ada().await;
    let bob = "bob@example.org";
    for name in ["register", "forgot-password"] {
        for email in [ADA, bob] {
            auth.call_with(name, &json!({"email": email})).await.ok(202);
        }
    }
    assert_eq!(auth.deliver_mails().await, 4);
    let subjects = |mails: Vec<Mail>| mails.into_iter().map(|mail| mail.subject);
    let subjects: BTreeSet<_> =
        subjects(auth.mails(ADA).await).chain(subjects(auth.mails(bob).await)).collect();
    let expected = [
        "Choose a new password",
        "Confirm your e-mail address",
        "There is no account with this address",
        "You already have an account",
    ];
    assert_eq!(subjects, expected.map(String::from).into());
    for mail in auth.mails(bob).await {
        assert_eq!(mail.source, SENDER);
        assert!(mail.body_text.contains("\nhttps://example.org/auth/"), "{}", mail.body_text);
    }
}

#[tokio::test]
async fn a_link_is_good_once_and_for_one_purpose() {
    let auth = auth().await;
    let token = auth.asked("register", ADA).await;
    assert_eq!(used(&auth, "reset-password", &token, NEW).await.problem(), invalid_link());
    let short = used(&auth, "confirm", &token, "too short").await;
    assert_eq!(short.problem(), (422, "invalid-body"), "and the link is still good");
    let user = used(&auth, "confirm", &token, PASSWORD).await.ok(201);
    assert_eq!(user["email"], ADA);
    let again = used(&auth, "confirm", &token, NEW).await;
    assert_eq!(
        (again.problem(), &again.body["errors"][0]["field"]),
        (invalid_link(), &json!("token"))
    );

    let token = auth.asked("forgot-password", ADA).await;
    assert_eq!(used(&auth, "confirm", &token, NEW).await.problem(), invalid_link());
    used(&auth, "reset-password", &token, NEW).await.ok(204);
    assert_eq!(used(&auth, "reset-password", &token, PASSWORD).await.problem(), invalid_link());
    assert_eq!(auth.sign_in(ADA, PASSWORD).await.problem(), (401, "invalid-credentials"));
    auth.sign_in(ADA, NEW).await.ok(200);
}

#[tokio::test]
async fn a_text_that_is_no_link_is_refused() {
    let auth = auth().await;
    let token = auth.asked("register", ADA).await;
    let unknown = format!("arsenal_ml_{}", "A".repeat(43));
    assert_eq!(used(&auth, "confirm", &unknown, PASSWORD).await.problem(), invalid_link());
    for text in ["", "x", &token[1..], &token.to_uppercase(), &"a".repeat(8_000)] {
        let answer = used(&auth, "confirm", text, PASSWORD).await;
        assert_eq!(answer.problem(), (422, "invalid-body"), "{text}");
    }
}

#[tokio::test]
async fn a_link_expires_to_the_second() {
    for (ask, use_it, status) in
        [("register", "confirm", 201), ("forgot-password", "reset-password", 204)]
    {
        for is_late in [false, true] {
            let auth = auth().await;
            if ask == "forgot-password" {
                auth.register(ADA).await;
            }
            let token = auth.asked(ask, ADA).await;
            advance(&auth, if is_late { LIFETIME } else { before(LIFETIME) });
            let answer = used(&auth, use_it, &token, NEW).await;
            assert_eq!(answer.status, if is_late { 422 } else { status }, "{}", answer.body);
        }
    }
}

/// Somebody who read an old mail gets nothing from it after the owner has changed the password.
#[tokio::test]
async fn a_link_to_reset_a_password_ends_with_the_password() {
    let (auth, tokens) = with_ada().await;
    let [first, second] =
        [auth.asked("forgot-password", ADA).await, auth.asked("forgot-password", ADA).await];
    let change = json!({"current_password": PASSWORD, "new_password": NEW});
    let mut event = sample("change-password");
    event["body"] = json!(change.to_string());
    auth.as_user(&tokens.access, event).await.ok(204);
    for token in [&first, &second] {
        assert_eq!(used(&auth, "reset-password", token, PASSWORD).await.problem(), invalid_link());
    }
    auth.sign_in(ADA, NEW).await.ok(200);
}

#[tokio::test]
async fn a_reset_ends_all_sessions() {
    let (auth, tokens) = with_ada().await;
    let token = auth.asked("forgot-password", ADA).await;
    assert!(auth.authorized(&tokens.access).await.is_some(), "asking changes nothing");
    used(&auth, "reset-password", &token, NEW).await.ok(204);
    assert!(auth.authorized(&tokens.access).await.is_none());
    assert_eq!(auth.refresh(&tokens.refresh).await.problem(), (401, "invalid-refresh-token"));
}

/// Two links to one address: the second finds an account.
#[tokio::test]
async fn an_address_has_one_account() {
    let auth = auth().await;
    let [first, second] = [auth.asked("register", ADA).await, auth.asked("register", ADA).await];
    used(&auth, "confirm", &first, PASSWORD).await.ok(201);
    assert_eq!(used(&auth, "confirm", &second, NEW).await.problem(), (409, "email-taken"));
    auth.sign_in(ADA, PASSWORD).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_uses_of_a_link_at_once_one_counts() {
    let auth = auth().await;
    let passwords: Vec<_> = (0..16).map(|i| format!("{NEW} {i}")).collect();
    let at_once = async |name: &str, token: &str| -> String {
        let answers = join_all(passwords.iter().map(|word| used(&auth, name, token, word))).await;
        let is_made = |(_, answer): &(&String, Answer)| answer.status < 300;
        let (made, refused): (Vec<_>, Vec<_>) = passwords.iter().zip(answers).partition(is_made);
        assert_eq!(made.len(), 1);
        for (_, answer) in refused {
            assert_eq!(answer.problem(), invalid_link());
        }
        made[0].0.clone()
    };
    let token = auth.asked("register", ADA).await;
    let password = at_once("confirm", &token).await;
    auth.sign_in(ADA, &password).await.ok(200);
    let token = auth.asked("forgot-password", ADA).await;
    let password = at_once("reset-password", &token).await;
    auth.sign_in(ADA, &password).await.ok(200);
}

/// Wherever a use of a link fails, the account is as before or as wanted, never in between.
#[tokio::test]
async fn a_use_of_a_link_that_fails_anywhere_is_made_or_not() {
    for (ask, use_it) in [("register", "confirm"), ("forgot-password", "reset-password")] {
        fault::walk(async |run: fault::Run| {
            let auth = auth().await;
            if ask == "forgot-password" {
                auth.register(ADA).await;
            }
            let token = auth.asked(ask, ADA).await;
            run.attempt(used(&auth, use_it, &token, NEW)).await.resume().await;
            let is_made = auth.sign_in(ADA, NEW).await.status == 200;
            let before = auth.sign_in(ADA, PASSWORD).await.status == 200;
            assert_eq!(before, !is_made && ask == "forgot-password");
            // The link is good exactly if it was not used.
            assert_eq!(used(&auth, use_it, &token, NEW).await.status < 300, !is_made);
        })
        .await;
    }
}

/// Wherever the job fails, a retry sends a mail whose link works.
#[tokio::test]
async fn a_mail_that_fails_anywhere_is_sent_by_a_retry() {
    let passed = fault::walk(async |run: fault::Run| {
        let auth = auth().await;
        auth.call_with("register", &json!({"email": ADA})).await.ok(202);
        let jobs = auth.jobs().await;
        let first = run.attempt(auth.deliver(&jobs[0], 1)).await;
        auth.deliver(&jobs[0], 2).await.unwrap();
        first.resume().await;
        let mails = auth.mails(ADA).await;
        used(&auth, "confirm", mails.last().unwrap().token(), PASSWORD).await.ok(201);
    })
    .await;
    assert!(passed.contains(&"links.add") && passed.contains(&"mail.send"), "{passed:?}");
}

#[tokio::test]
async fn nobody_can_fill_a_mailbox() {
    let auth = auth().await;
    for _ in 0..8 {
        for name in ["register", "forgot-password"] {
            auth.call_with(name, &json!({"email": ADA})).await.ok(202);
        }
    }
    assert_eq!(auth.deliver_mails().await, 16);
    assert_eq!(auth.mails(ADA).await.len(), 10, "five of each kind");
    advance(&auth, Duration::from_mins(12));
    auth.asked("register", ADA).await;
    assert_eq!(auth.mails(ADA).await.len(), 11);
    auth.register("bob@example.org").await;
}

/// A message that SQS delivers again although no attempt came far, because the function was throttled, counts as well.
#[tokio::test]
async fn a_message_that_was_not_admitted_is_limited_whenever_it_comes() {
    let auth = auth().await;
    let job = Job::V1 { wanted: Wanted::Account, email: ADA.to_owned().try_into().unwrap() };
    for number in 0..8 {
        auth.deliver_as(&format!("message {number}"), &job, 3).await.unwrap();
    }
    assert_eq!(auth.mails(ADA).await.len(), 5);
}

/// A mail that an attempt has admitted is sent by a retry, also if the limit is used up meanwhile.
#[tokio::test]
async fn an_admitted_mail_is_not_dropped() {
    let auth = auth().await;
    let job = Job::V1 { wanted: Wanted::Account, email: ADA.to_owned().try_into().unwrap() };
    let crash = Run::with("mail.send", Fault::CrashBefore);
    let _ended = crash.attempt(auth.deliver_as("first", &job, 1)).await;
    for number in 0..5 {
        auth.deliver_as(&format!("message {number}"), &job, 1).await.unwrap();
    }
    assert_eq!(auth.mails(ADA).await.len(), 4);
    auth.deliver_as("first", &job, 2).await.unwrap();
    assert_eq!(auth.mails(ADA).await.len(), 5);
}

/// A stranger who asks for accounts in the name of the owner does not keep the owner from a new password.
#[tokio::test]
async fn a_flood_of_one_kind_of_mail_leaves_the_other_free() {
    let (auth, _) = with_ada().await;
    for _ in 0..20 {
        auth.call_with("register", &json!({"email": ADA})).await.ok(202);
    }
    auth.deliver_mails().await;
    let token = auth.asked("forgot-password", ADA).await;
    used(&auth, "reset-password", &token, NEW).await.ok(204);
}

/// SES refuses a sender that is not verified: an operator must see it, and a retry is of no use.
#[tokio::test]
async fn a_refused_mail_goes_to_the_dead_letters() {
    let auth = auth().await;
    let ses = aws_sdk_sesv2::Client::new(&auth.aws);
    ses.delete_email_identity().email_identity("arsenal.test").send().await.unwrap();
    let email = ADA.to_owned().try_into().unwrap();
    let job = Job::V1 { wanted: Wanted::Account, email };
    let refused = auth.deliver(&job, 1).await.unwrap_err();
    assert!(matches!(&refused, Failure::Permanent(_)), "{refused:?}");
}

#[tokio::test]
async fn the_table_and_the_queue_have_no_token() {
    let auth = auth().await;
    auth.call_with("register", &json!({"email": ADA})).await.ok(202);
    let jobs = auth.jobs().await;
    let expected: Value = json!({"version": "1", "wanted": "account", "email": ADA});
    assert_eq!(serde_json::to_value(&jobs[0]).unwrap(), expected);
    auth.deliver(&jobs[0], 1).await.unwrap();
    let mails = auth.mails(ADA).await;
    let secret = mails[0].token().strip_prefix("arsenal_ml_").unwrap();
    let table = aws_sdk_dynamodb::Client::new(&auth.aws).scan().table_name("auth").send().await;
    let items = format!("{:?}", table.unwrap().items);
    assert!(items.contains("LINK#") && !items.contains(secret), "{items}");
}

/// SES sends no mail to such a name. The refusal depends on the text alone.
#[tokio::test]
async fn an_address_that_gets_no_mail_is_refused() {
    let auth = auth().await;
    for name in ["register", "forgot-password"] {
        let refused = auth.call_with(name, &json!({"email": "zoë@example.org"})).await;
        assert_eq!(refused.problem(), (422, "invalid-body"));
        assert_eq!(refused.body["errors"][0]["field"], "email");
        auth.call_with(name, &json!({"email": "zoe@bücher.example"})).await.ok(202);
    }
    assert_eq!(auth.deliver_mails().await, 2);
    assert_eq!(auth.mails("zoe@xn--bcher-kva.example").await.len(), 2);
}
