use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

/// Hashes of "correct horse battery" with other parameters, by argon2id.
const WEAKER: &str = "$argon2id$v=19$m=8,t=1,p=1$";

fn new(text: &str) -> Result<NewPassword, InvalidPassword> {
    NewPassword::try_from(SecretString::from(text))
}

fn email(text: &str) -> Email {
    text.to_owned().try_into().unwrap()
}

#[tokio::test]
async fn only_the_same_password_is_accepted() {
    let stored = hash(new("correct horse battery").unwrap()).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    for (attempt, is_right) in [
        ("correct horse battery", true),
        ("correct horse batter", false),
        ("Correct horse battery", false),
        ("", false),
    ] {
        assert_eq!(verify(attempt.into(), Some(stored.clone())).await.unwrap(), is_right);
    }
}

#[tokio::test]
async fn hashes_of_one_password_differ() {
    let password = new("correct horse battery").unwrap();
    assert_ne!(hash(password.clone()).await.unwrap(), hash(password).await.unwrap());
}

#[tokio::test]
async fn a_password_is_the_same_in_every_unicode_form() {
    let (composed, decomposed) =
        ("zw\u{f6}lf Boxk\u{e4}mpfer jagen", "zwo\u{308}lf Boxka\u{308}mpfer jagen");
    for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
        let stored = hash(new(set).unwrap()).await.unwrap();
        assert!(verify(typed.into(), Some(stored.clone())).await.unwrap());
        let without_marks = "zwolf Boxkampfer jagen";
        assert!(!verify(without_marks.into(), Some(stored)).await.unwrap());
    }
}

#[tokio::test]
async fn an_unknown_account_costs_as_much_as_a_known_one() {
    assert!(!verify("correct horse battery".into(), None).await.unwrap());
    let real = hash(new("correct horse battery").unwrap()).await.unwrap();
    assert!(parameters(DUMMY_HASH).unwrap() == parameters(&real).unwrap());
}

/// What is hashed for a text that is no password is the empty text.
#[tokio::test]
async fn a_text_that_is_too_long_is_checked_like_a_wrong_password() {
    for text in ["a".repeat(129), "e\u{301}".repeat(8_000), "\u{1f82}".repeat(4_000)] {
        assert!(normal(&text.clone().into()).is_none());
        for stored in [String::new(), text.chars().take(128).collect()] {
            let stored = hashed(stored.into()).await.unwrap();
            assert!(!verify(text.clone().into(), Some(stored)).await.unwrap());
        }
    }
}

#[test]
fn no_spelling_of_a_password_is_refused_for_its_bytes() {
    for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
        let text = c.to_string();
        let composed: usize = text.nfc().map(char::len_utf8).sum();
        let decomposed: usize = text.nfd().map(char::len_utf8).sum();
        assert!(decomposed.max(c.len_utf8()) <= 3 * composed, "{c:?}");
    }
}

#[test]
fn length_is_counted_in_code_points_of_the_normal_form() {
    let several = |text: &str, count: usize| text.chars().cycle().take(count).collect::<String>();
    let letters = "kéqzvüxmåwßjøł";
    for (length, is_valid) in [(14, false), (15, true), (128, true), (129, false)] {
        for text in [several("kxqzvwymgjtpfhbnrsd", length), several(letters, length)] {
            assert_eq!(new(&text).is_ok(), is_valid, "{text}");
            let decomposed: String = text.nfd().collect();
            assert_eq!(new(&decomposed).is_ok(), is_valid, "{text}");
        }
    }
    assert_eq!(new(&"e\u{301}".repeat(14)).err(), Some(InvalidPassword::Length));
    // A family of seven code points counts as seven.
    assert!(new("👨‍👩‍👧‍👦🦀🐙🦉🐝🦊🐢🦄🐳").is_ok());
}

#[test]
fn a_password_has_no_composition_rules() {
    for text in [
        "nur kleine buchstaben",
        "NUR GROSSE BUCHSTABEN",
        "529481736402817",
        "秘密の長いあいことばをつくりました",
    ] {
        assert!(new(text).is_ok(), "{text}");
    }
}

#[test]
fn a_refusal_says_why() {
    for (text, why) in [
        ("short", InvalidPassword::Length),
        ("correct horse\tbattery", InvalidPassword::Character),
        ("correct horse battery\n", InvalidPassword::Character),
        ("correct horse \u{378} battery", InvalidPassword::Character),
        ("aaaaaaaaaaaaaaa", InvalidPassword::Repetition),
        ("passwordpassword", InvalidPassword::Common),
    ] {
        assert_eq!(new(text).err(), Some(why), "{text:?}");
    }
}

#[test]
fn the_address_of_the_user_is_no_password() {
    let ada = email("ada.lovelace@bücher.example");
    for text in [
        "ada.lovelace@bücher.example",
        "Ada.Lovelace@xn--bcher-kva.example",
        "adalovelace1815",
        "lovelace-lovelace",
        "AdaLovelace2026!",
        "L0velace!bücher!",
        "my password ada lovelace",
    ] {
        let password = new(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(password.check_for(&ada), Err(InvalidPassword::Address), "{text}");
        assert_eq!(password.check_for(&email("bob@example.org")), Ok(()), "{text}");
    }
    for text in ["ada wrote the first program", "correct horse battery"] {
        assert_eq!(new(text).unwrap().check_for(&ada), Ok(()), "{text}");
    }
}

#[test]
fn a_password_is_not_printed() {
    let printed = format!("{:?}", new("correct horse battery").unwrap());
    assert!(!printed.contains("horse"), "{printed}");
}

/// A hash of the text with less work than today's.
fn weaker(text: &str) -> String {
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let hasher = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash = hasher.hash_password(text.as_bytes()).unwrap().to_string();
    assert!(hash.starts_with(WEAKER), "{hash}");
    hash
}

#[tokio::test]
async fn a_hash_with_other_parameters_is_replaced() {
    let text = "zwo\u{308}lf Boxka\u{308}mpfer jagen";
    let old = weaker(&text.nfc().collect::<String>());
    assert!(verify(text.into(), Some(old.clone())).await.unwrap());
    let new = upgraded(text.into(), &old).await.unwrap().unwrap();
    assert!(parameters(&new).unwrap() == parameters(DUMMY_HASH).unwrap());
    assert!(verify(text.into(), Some(new.clone())).await.unwrap());
    assert_eq!(upgraded(text.into(), &new).await.unwrap(), None);
}

proptest! {
    #[test]
    fn a_new_password_is_in_its_normal_form(text in "(\\PC|[a-zé\u{301}\u{308}]){1,200}") {
        if let Ok(NewPassword(password)) = new(&text) {
            let password = password.expose_secret();
            prop_assert!(password.nfc().eq(text.nfc()));
            prop_assert!(LENGTH.contains(&password.chars().count()));
            prop_assert!(new(&text.nfd().collect::<String>()).is_ok());
        }
    }
}
