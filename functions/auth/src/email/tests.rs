use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

fn email(text: &str) -> Result<String, InvalidEmail> {
    Email::try_from(text.to_owned()).map(|email| email.to_string())
}

#[test]
fn letter_case_and_outer_spaces_are_ignored() {
    assert_eq!(email(" Ada.Lovelace@Example.ORG\n"), Ok("ada.lovelace@example.org".into()));
    assert_eq!(email("ÉMILIE@example.org"), Ok("émilie@example.org".into()));
    assert_eq!(email("ΣΊΣΥΦΟΣ@example.org"), Ok("σίσυφος@example.org".into()));
}

#[test]
fn the_spellings_of_an_address_are_equal() {
    let spellings = [
        "ada@bücher.example",
        "ADA@Bücher.example",
        "ada@bu\u{308}cher.example",
        "ada@BU\u{308}CHER.EXAMPLE",
        "ada@xn--bcher-kva.example",
        "Ada@XN--Bcher-KVA.Example",
        "ada@bücher。example",
        "ada@ｂücher．ｅxample",
    ];
    for text in spellings {
        assert_eq!(email(text), Ok("ada@xn--bcher-kva.example".into()), "{text}");
    }
    for text in ["émilie@example.org", "e\u{301}milie@example.org", "E\u{301}MILIE@example.org"] {
        assert_eq!(email(text), Ok("\u{e9}milie@example.org".into()), "{text}");
    }
    // A sharp s is a letter of its own (without transitional processing), and so is a final sigma.
    assert_ne!(email("ada@straße.example"), email("ada@strasse.example"));
    // The Kelvin and Ångström signs are letters.
    assert_eq!(email("\u{212a}@example.org"), Ok("k@example.org".into()));
    assert_eq!(email("\u{212b}@example.org"), Ok("å@example.org".into()));
}

#[test]
fn letters_of_any_script_and_the_signs_of_an_atom_are_accepted() {
    for text in [
        "用户@例子.广告",
        "अजय@डाटा.भारत",
        "น้ำ@คน.ไทย",
        "квіточка@пошта.укр",
        "آدا@مثال.إختبار",
        "a!#$%&'*+-/=?^_`{|}~z@example.org",
        "a@r3---sn.example.org",
        "1@1.museum",
    ] {
        assert!(email(text).is_ok(), "{text}");
    }
}

#[test]
fn an_invalid_address_is_refused() {
    for text in ["", "@", "ada", "ada@", "@example.org", "ada@localhost", "ada@exa mple.org"] {
        assert_eq!(email(text), Err(InvalidEmail), "{text:?}");
    }
    for text in ["ada@@example.org", "a@b@example.org", "a da@example.org", "a,b@example.org"] {
        assert_eq!(email(text), Err(InvalidEmail), "{text:?}");
    }
    for text in [".ada@example.org", "ada.@example.org", "a..b@example.org", "a.\u{301}b@a.org"] {
        assert_eq!(email(text), Err(InvalidEmail), "no dot-atom: {text:?}");
    }
    for text in ["\"ada\"@example.org", "\"a b\"@example.org", "a\\b@example.org", "(a)b@a.org"] {
        assert_eq!(email(text), Err(InvalidEmail), "quoted: {text:?}");
    }
    for domain in ["example..org", ".example.org", "example.org.", "-a.org", "a-.org", "a_b.org"] {
        assert_eq!(email(&format!("ada@{domain}")), Err(InvalidEmail), "{domain}");
    }
    for domain in ["[127.0.0.1]", "127.0.0.1", "[IPv6:::1]", "a:25", "xn--a.org", "xn--ada-.org"] {
        assert_eq!(email(&format!("ada@{domain}")), Err(InvalidEmail), "{domain}");
    }
}

#[test]
fn an_invisible_character_is_refused_anywhere() {
    let invisible = [
        '\0',
        '\t',
        '\n',
        '\u{7f}',
        '\u{85}', // control
        '\u{ad}',
        '\u{200b}',
        '\u{200e}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0061}', // format
        '\u{34f}',
        '\u{115f}',
        '\u{17b4}',
        '\u{180b}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{ffa0}', // ignored
        '\u{a0}',
        '\u{2003}',
        '\u{2028}',
        '\u{3000}', // spaces
        '\u{e000}',
        '\u{10fffd}',
        '\u{378}',
        '\u{fffe}', // private use, unassigned
    ];
    for c in invisible {
        for text in [format!("a{c}b@example.org"), format!("ab@exa{c}mple.org")] {
            assert_eq!(email(&text), Err(InvalidEmail), "{text:?}");
        }
    }
    // A joiner is invisible in a name, and judged by its neighbours in a domain (RFC 5892, appendix A).
    assert_eq!(email("a\u{200c}b@example.org"), Err(InvalidEmail));
    assert_eq!(email("ab@exa\u{200c}mple.org"), Err(InvalidEmail));
    let joined = email("ada@نامه\u{200c}ای.example");
    assert_eq!(joined, Ok("ada@xn--mgba3gch31f060k.example".into()));
    assert_eq!(email(&joined.unwrap()), email("ada@xn--mgba3gch31f060k.example"));
    // A mark needs a letter before it.
    for text in ["\u{301}ada@example.org", "ada@\u{301}example.org", "ada@a.\u{301}example.org"] {
        assert_eq!(email(text), Err(InvalidEmail), "{text:?}");
    }
}

#[test]
fn another_form_of_an_ascii_character_is_refused_in_the_name() {
    for text in ["a＠b@example.org", "ada＠example.org", "ａda@example.org", "a﹫b@example.org"]
    {
        assert_eq!(email(text), Err(InvalidEmail), "{text}");
    }
    for text in ["ﬁ@example.org", "a²@example.org", "𝐚@example.org", "a．b@example.org"] {
        assert_eq!(email(text), Err(InvalidEmail), "{text}");
    }
}

#[test]
fn lengths_are_counted_in_bytes_of_the_one_spelling() {
    let with_name = |name: String| email(&format!("{name}@example.org"));
    assert!(with_name("a".repeat(64)).is_ok() && with_name("a".repeat(65)).is_err());
    assert!(with_name("é".repeat(32)).is_ok() && with_name("é".repeat(33)).is_err());
    assert!(with_name("e\u{301}".repeat(32)).is_ok(), "96 bytes, and 64 in NFC");

    let label = |count| "a".repeat(count);
    let domain = |last| format!("{}.{}.{}", label(63), label(63), label(last));
    // 64 + 1 + 189 bytes.
    let address = |last| email(&format!("{}@{}", label(64), domain(last)));
    assert_eq!(address(61).unwrap().len(), 254);
    assert!(address(62).is_err());
    assert!(email(&format!("a@{}.org", label(64))).is_err(), "a label has 63 bytes");
    assert!(email(&format!("a@{}.org", "ü".repeat(60))).is_err(), "in ASCII");
    let long = format!("{}@{}", "e\u{301}".repeat(5_000), "ü.".repeat(2_000));
    assert!(email(&long).is_err());
}

/// Each character alone, before and after a letter, in its decomposed form, and in upper case if that comes back.
#[test]
fn every_character_has_one_spelling() {
    let mut accepted = 0;
    for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
        for text in [format!("{c}@a.org"), format!("a{c}@a.org"), format!("{c}a@a.org")] {
            let Ok(once) = email(&text) else { continue };
            accepted += 1;
            assert_eq!(email(&once), Ok(once.clone()), "{text:?}");
            assert_eq!(email(&text.nfd().collect::<String>()), Ok(once.clone()), "{text:?}");
            assert_eq!(email(&text.nfc().collect::<String>()), Ok(once.clone()), "{text:?}");
            assert_eq!(email(&text.to_lowercase()), Ok(once), "{text:?}");
        }
    }
    assert!(accepted > 300_000, "{accepted}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn parsing_is_idempotent(text in "(\\PC|[a-zA-Z.é\u{301}]){0,20}@(\\PC|[a-zA-Z.é\u{301}-]){0,20}") {
        if let Ok(once) = email(&text) {
            prop_assert_eq!(email(&once), Ok(once.clone()));
            prop_assert_eq!(email(&text.nfd().collect::<String>()), Ok(once.clone()));
            prop_assert!(once.len() <= 254 && once.nfc().eq(once.chars()));
        }
    }

    #[test]
    fn a_domain_in_unicode_and_in_ascii_is_one(label in "[a-zäöüßéèñçøåא-תа-яぁ-ん一-三]{1,12}") {
        let unicode = format!("ada@{label}.example");
        if let Ok(ascii) = email(&unicode) {
            prop_assert!(ascii.is_ascii());
            let (_, domain) = ascii.split_once('@').unwrap();
            let (shown, valid) = idna::domain_to_unicode(domain);
            prop_assert!(valid.is_ok());
            prop_assert_eq!(email(&format!("ada@{shown}")), Ok(ascii.clone()));
            prop_assert_eq!(email(&ascii.to_ascii_uppercase()), Ok(ascii));
        }
    }

    #[test]
    fn letter_case_of_a_name_is_ignored(name in "[a-zäöüéèñçøåа-яა-ჰա-ֆ]{1,20}") {
        let lower = format!("{name}@example.org");
        prop_assert_eq!(email(&lower.to_uppercase()), email(&lower));
    }
}
