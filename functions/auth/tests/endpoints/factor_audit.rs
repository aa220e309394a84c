//! Second factors in the audit log, in an export, and after a deletion.

use auth::second_factor::totp::STEP;
use auth::store::Totp;
use serde_json::{Value, json};

use crate::audit::{kinds, tenant_of};
use crate::factor_support::{recovery_codes, with_factor};
use crate::sessions::{ADA, with_ada};
use crate::stream::{Table, record};
use crate::support::{Auth, sample};

#[tokio::test]
async fn the_life_of_a_second_factor_is_in_the_log() {
    let (auth, tokens) = with_ada().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    let phone = auth.enrol(&tokens).await;
    table.streamed().await;
    let confirmed = auth.confirm(&tokens, &phone.code(&auth, 0)).await.ok(200);
    table.streamed().await;
    auth.seconds(STEP);
    let codes = recovery_codes(&confirmed);
    assert_eq!(auth.sign_in_with(&phone.wrong(&auth)).await.status, 422);
    table.streamed().await;
    for code in [&phone.code(&auth, 0), &codes[0]] {
        auth.sign_in_with(code).await.ok(200);
        table.streamed().await;
    }
    let renewed = auth.with_code("renew-recovery-codes", &tokens, &codes[1]).await.ok(200);
    table.streamed().await;
    auth.with_code("remove-totp", &tokens, &recovery_codes(&renewed)[0]).await.ok(204);
    table.streamed().await;

    let entries = table.chain(chain).await;
    let mut found = kinds(&entries);
    // Of one change of the table, the order of the items is not that of the writes.
    found[2..].sort_unstable();
    let expected = [
        "account.created",
        "session.begun",
        "recovery_code.used",
        "recovery_codes.replaced",
        "second_factor.added",
        "second_factor.removed",
        "session.begun",
        "session.begun",
    ];
    assert_eq!(found, expected);
    for entry in entries.iter().filter(|entry| entry.fact.kind != "recovery_code.used") {
        assert_eq!(entry.fact.details["ip"], "203.0.113.7", "{}", entry.fact.kind);
    }
    let used = entries.iter().find(|entry| entry.fact.kind == "recovery_code.used").unwrap();
    assert_eq!(used.fact.details["left"], "9");
    let log = serde_json::to_string(&entries).unwrap();
    for secret in [&phone.secret, &codes[0], &codes[0].replace('-', "")] {
        assert!(!log.contains(secret), "{log}");
    }
}

/// What somebody would change in the table to get around a second factor.
#[tokio::test]
async fn a_second_factor_that_is_changed_by_hand_is_in_the_log() {
    let (auth, tokens, _) = with_factor().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let item =
        |part: &str| table.before.iter().find(|(key, _)| key.contains(part)).unwrap().1.clone();
    let (account, totp) = (item("ACCOUNT"), item("TOTP"));
    let before = table.chain(chain).await.len();
    let with = |item: &Value, name: &str, value: Value| {
        let mut changed = item.clone();
        changed[name] = value;
        changed
    };
    let mut removed = account.clone();
    removed.as_object_mut().unwrap().remove("second_factor");
    let off = with(&account, "second_factor", {
        let mut set = account["second_factor"].clone();
        set["M"]["is_on"] = json!({"BOOL": false});
        set
    });
    let tried = with(&totp, "wrong", json!({"N": "99"}));
    let step = |step: &str| json!({"N": step});
    let cases = [
        (&account, &removed, "second_factor.removed"),
        (&account, &off, "second_factor.removed"),
        (&removed, &account, "second_factor.added"),
        (&totp, &with(&totp, "secret", json!({"S": "another"})), "second_factor.changed"),
        (&totp, &with(&totp, "last_step", step("1")), "second_factor.changed"),
        (&tried, &totp, "second_factor.changed"),
        (&totp, &with(&totp, "codes", json!({"SS": ["another"]})), "second_factor.changed"),
    ];
    for (number, (old, new, expected)) in cases.into_iter().enumerate() {
        table.handle(&[record(1_000 + number, Some(old), Some(new))]).await.unwrap();
        let entries = table.chain(chain).await;
        assert_eq!(kinds(&entries)[before + number..], [expected], "{number}");
    }
    let count = table.chain(chain).await.len();
    table.handle(&[record(2_000, None, Some(&totp))]).await.unwrap();
    assert_eq!(kinds(&table.chain(chain).await)[count..], ["second_factor.changed"]);
    // What a request does is none of these: a try, and a code that was used.
    let used = with(&totp, "last_step", step("99999999999"));
    for (number, (old, new)) in [(&totp, &tried), (&tried, &used)].into_iter().enumerate() {
        table.handle(&[record(3_000 + number, Some(old), Some(new))]).await.unwrap();
    }
    assert_eq!(table.chain(chain).await.len(), count + 1);
}

#[tokio::test]
async fn a_deletion_takes_the_second_factor_with_it() {
    let (auth, tokens, _) = with_factor().await;
    let ada = auth.ada().await;
    let totp = auth.users.totp(ada.user.id).await.unwrap().unwrap();
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    auth.as_user(&tokens.access, sample("delete-me")).await.ok(204);
    table.streamed().await;
    assert!(is_forgotten(&mut table).await);
    // An enrolment that has read the account before stores its secret after.
    let enrolled = Totp::enrolled(&ada, totp.secret, auth.clock.now());
    assert!(auth.users.enrol(&enrolled).await.unwrap());
    table.streamed().await;
    assert!(is_forgotten(&mut table).await);
    auth.register(ADA).await;
}

async fn is_forgotten(table: &mut Table<'_>) -> bool {
    table.records().await;
    table.before.keys().all(|key| !key.contains("USER#"))
}

#[tokio::test]
async fn an_export_says_that_it_is_on_and_no_secret() {
    let (auth, tokens, phone) = with_factor().await;
    let export = auth.as_user(&tokens.access, sample("export-me")).await.ok(200);
    let expected = json!({
        "is_on": true, "at": "2026-11-21T10:00:00Z", "ip": "203.0.113.7", "user_agent": "curl/8.5.0",
    });
    assert_eq!(export["second_factor"], expected);
    let stored = auth.users.totp(auth.ada().await.user.id).await.unwrap().unwrap();
    let text = export.to_string();
    assert!(!text.contains(&stored.secret) && !text.contains(&phone.secret));
    assert!(stored.codes.iter().all(|code| !text.contains(code)));
}

/// A copy of the table has nothing that a code could be made of.
#[tokio::test]
async fn the_table_has_no_secret_and_no_recovery_code() {
    let (auth, _, phone) = with_factor().await;
    let challenge = auth.challenge().await;
    let text = everything(&auth).await;
    assert!(text.contains("TOTP"));
    let raw = data_encoding::BASE32_NOPAD.decode(phone.secret.as_bytes()).unwrap();
    let mut secrets = vec![phone.secret.clone(), challenge[11..].to_owned()];
    for encoding in [data_encoding::BASE64_NOPAD, data_encoding::HEXLOWER, data_encoding::HEXUPPER]
    {
        secrets.push(encoding.encode(&raw));
        // In the middle of a longer text, too.
        secrets.push(encoding.encode(&raw[..18]));
    }
    for code in &phone.recovery {
        secrets.extend([code.clone(), code.replace('-', "")]);
        let hash =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, code.replace('-', "").as_bytes());
        secrets.push(data_encoding::BASE64_NOPAD.encode(hash.as_ref()));
    }
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret}");
    }
}

async fn everything(auth: &Auth) -> String {
    let mut table = Table::of(auth).await;
    table.records().await;
    table.before.values().map(Value::to_string).collect::<Vec<_>>().join("\n")
}
