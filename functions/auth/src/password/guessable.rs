//! Which passwords guessers try first.
//!
//! NIST SP 800-63B-4, section 3.1.1.2, asks for a list of passwords that are common, expected or known from breaches,
//! with which a new password is compared as a whole. Nearly all entries of such lists are shorter than the 15 characters
//! that we require; those that people make longer, they make by putting common pieces together. So this list is one of
//! pieces, and it has every password that consists of them:
//!
//! - a common word, or a word of the service, in any letter case, and with the usual digits and signs for letters (`p4$$w0rd`);
//! - two or more characters in a row that are equal (`aaa`), or three that follow one another (`123`, `cba`), or are
//!   neighbours in a row of a keyboard (`qwe`);
//! - a year from 1900 to 2099;
//! - a space or a sign before, after or between them.
//!
//! The list also has each of them with up to [`OWN`] other characters anywhere. Words that are not common are no pieces,
//! so a passphrase passes if it has one of them. The crate zxcvbn judges more, but adds 2.7 MB to the program, and 90 ms
//! to its first judgement (3.1.1, x86_64, with our release profile).

use unicode_normalization::UnicodeNormalization;

/// The characters besides pieces with which a password still counts as made of pieces.
const OWN: usize = 3;
/// A password has at least this many different characters.
const DISTINCT: usize = 5;
/// A repeated text is at least this long, or it is counted as a repetition. NIST requires 8 characters of a password
/// that is not the only factor.
const UNIT: usize = 8;
/// The fewest characters of a word of an address that is a piece. Shorter ones are in many words.
const SHORTEST: usize = 3;

/// The words of this service. Add the names of your product and of your company.
const SERVICE: &str = "arsenal signin signup checkout";

/// What people build passwords of: the words for passwords and for access, and what they are fond of.
const COMMON: &str = "
    password passwort passwd passphrase passcode pass word code secret login logon admin administrator root
    user username account guest demo test testing tester temp temporary default change changeme letmein welcome
    access private security secure master manager system server internet computer laptop windows google
    facebook amazon apple samsung hello hallo bonjour hola ciao please thankyou whatever nothing something trustno
    iloveyou loveyou love lover lovely forever always baby angel princess queen king prince sweet honey
    sunshine rainbow flower butterfly star stars moon summer winter spring autumn happy smile lucky freedom
    monkey dragon tiger lion eagle horse puppy kitten kitty fish bear wolf shadow ninja killer hunter ranger
    football baseball basketball soccer hockey tennis golf liverpool chelsea barcelona juventus realmadrid yankees
    superman batman spiderman starwars pokemon naruto minecraft matrix mustang ferrari porsche mercedes
    cookie chocolate banana cheese coffee pepper ginger orange cherry purple silver golden diamond
    michael jennifer jessica jordan charlie thomas daniel ashley andrew joshua matthew robert nicole michelle
    maria anna david alex george william james john peter max
    january february march april june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday
    geheim schatz liebe sommer motdepasse azerty soleil amour contrasena amor teamo senha wachtwoord parola haslo
    пароль привет любовь солнце
    abc one two three four five six seven eight nine zero
    this that the is my me your you our and new old
    qaz wsx edc rfv tgb yhn ujm zaq xsw cde vfr bgt nhy mju";

/// The rows of keyboards. The row of digits ends with 0.
const ROWS: [&str; 14] = [
    "1234567890",
    "!@#$%^&*()_+",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
];

/// Whether the password repeats a few characters, or a short text.
pub(super) fn is_repetitive(password: &str) -> bool {
    let text = folded(password);
    let mut distinct = text.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let repeats = |unit: usize| text.iter().zip(&text[unit..]).all(|(one, next)| one == next);
    distinct.len() < DISTINCT || (1..UNIT.min(text.len())).any(repeats)
}

/// Whether the password consists of pieces: those that everybody uses, and `own` words of the user.
pub(super) fn is_made_of(password: &str, own: &[String]) -> bool {
    let text = folded(password);
    let own: Vec<Vec<char>> =
        own.iter().map(|word| folded(word)).filter(|word| word.len() >= SHORTEST).collect();
    let common = COMMON.split_whitespace().chain(SERVICE.split_whitespace());
    let words: Vec<Vec<char>> = common.map(|word| word.chars().collect()).chain(own).collect();
    // The fewest characters before each place that are in no piece.
    let mut fewest: Vec<usize> = (0..=text.len()).collect();
    for at in 0..text.len() {
        let (rest, so_far) = (&text[at..], fewest[at]);
        let separates =
            is_sign(rest[0]) && !at.checked_sub(1).is_some_and(|last| is_sign(text[last]));
        fewest[at + 1] = fewest[at + 1].min(so_far + usize::from(!separates));
        let found = words.iter().filter(|word| begins_with(rest, word)).map(Vec::len);
        for length in found.chain(lengths_of_runs(rest)) {
            fewest[at + length] = fewest[at + length].min(so_far);
        }
    }
    fewest[text.len()] <= OWN
}

/// The lengths of the runs at the beginning of a text. The beginning of a run is a run, too.
fn lengths_of_runs(text: &[char]) -> impl Iterator<Item = usize> {
    let step = |by: i64| {
        let number = |c: char| i64::from(u32::from(c));
        length_while(text, |one, next| number(next) - number(one) == by)
    };
    let rows = ROWS.iter().flat_map(|row| {
        let keys: Vec<char> = row.chars().collect();
        let has = |pair: [char; 2]| keys.windows(2).any(|neighbours| neighbours == pair);
        let on = length_while(text, |one, next| has([one, next]));
        [on, length_while(text, |one, next| has([next, one]))]
    });
    let (longest, equal) = (rows.chain([step(1), step(-1)]).max().unwrap_or(1), step(0));
    (3..=longest).chain(2..=equal).chain(is_year(text).then_some(4))
}

/// The number of characters at the beginning of which each and its next are `related`.
fn length_while(text: &[char], related: impl Fn(char, char) -> bool) -> usize {
    1 + text.windows(2).take_while(|pair| related(pair[0], pair[1])).count()
}

/// Whether people put the character between words.
fn is_sign(c: char) -> bool {
    c.is_whitespace() || c.is_ascii_punctuation()
}

fn is_year(text: &[char]) -> bool {
    let is_century = text.starts_with(&['1', '9']) || text.starts_with(&['2', '0']);
    is_century && text.len() >= 4 && text[2..4].iter().all(char::is_ascii_digit)
}

fn begins_with(text: &[char], word: &[char]) -> bool {
    text.len() >= word.len() && text.iter().zip(word).all(|(c, letter)| stands_for(*c, *letter))
}

/// Whether people write `c` for the letter.
fn stands_for(c: char, letter: char) -> bool {
    let letters = match c {
        '0' => "o",
        '1' | '!' => "il",
        '3' => "e",
        '4' | '@' => "a",
        '5' | '$' => "s",
        '7' => "t",
        '8' => "b",
        '9' => "g",
        _ => "",
    };
    c == letter || letters.contains(letter)
}

/// The characters in lower case, and without the differences between forms of one letter.
fn folded(text: &str) -> Vec<char> {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_guessable(password: &str) -> bool {
        is_repetitive(password) || is_made_of(password, &[])
    }

    #[test]
    fn what_guessers_try_first_is_found() {
        for password in [
            "aaaaaaaaaaaaaaa",
            "abababababababab",
            "123456789012345",
            "987654321987654321",
            "abcdefghijklmnop",
            "qwertyuiopasdfgh",
            "poiuytrewqlkjhgf",
            "qwertzuiopasdfgh",
            "1qaz2wsx3edc4rfv",
            "йцукенгшщзхъфыва",
            "passwordpassword",
            "Password1234567",
            "P4$$w0rd1234567!",
            "PASSWORD PASSWORD",
            "ｐａｓｓｗｏｒｄ１２３４５６７",
            "thisismypassword",
            "this is my new password",
            "iloveyouforever",
            "arsenalarsenal1",
            "Arsenal-Arsenal-2026",
            "MyArsenalPassword",
            "summer2025winter2026",
            "liverpool football",
            "letmeinletmeinletmein",
            "aabbccddeeffgghh",
            "111222333444555",
            "xkqzvxkqzvxkqzv",
            "dragonmonkeyxyz1",
            "passwordpasswordkx7",
            "парольпароль123",
            "!@#$%^&*()_+!@#",
            "password!!!!!!!",
            "password-1-2-3-password",
        ] {
            assert!(is_guessable(password), "{password}");
        }
    }

    #[test]
    fn a_passphrase_and_random_characters_pass() {
        for password in [
            "correct horse battery",
            "correct horse battery staple",
            "the first new password we had",
            "my monkey eats croissants",
            "mein Hund heißt Waldemar",
            "ich habe 3 blaue Räder",
            "k7#mQ2vX9!pLw4z",
            "529481736402817",
            "Zwölf Boxkämpfer jagen Viktor",
            "自転車で海まで走るのが一番好きです",
            "tlön, uqbar, orbis tertius",
            "password-xk7q2m",
            "🦀🐙🦉🐝🦊🐢🦄🐳🐌🦋🐞🦖🐬🐧🐨",
            "?}{;<>,.=/|~[:(&",
        ] {
            assert!(!is_guessable(password), "{password}");
        }
    }

    #[test]
    fn words_of_the_user_are_pieces_if_they_are_given() {
        let own = ["lovelace".to_owned(), "ada".to_owned(), "or".to_owned()];
        for password in ["lovelace.lovelace", "Ada-L0ve1ace-1815!", "adalovelaceadalovelace"] {
            assert!(is_made_of(password, &own), "{password}");
        }
        assert!(!is_made_of("lovelace mathematician", &own));
        assert!(!is_made_of("kor jor mor dor sor zor vor", &own), "short words are no pieces");
    }

    proptest! {
        /// A list of pieces is refused in any order, case and number, with any signs between them.
        #[test]
        fn pieces_put_together_are_refused(
            pieces in proptest::collection::vec(
                prop::sample::select(COMMON.split_whitespace().chain(ROWS.into_iter().filter(|row| !row.contains(is_sign))).chain(["1999", "2026", "777"]).collect::<Vec<_>>()), 1..12),
            separator in "[ ._!-]?",
            upper: bool,
        ) {
            let password = pieces.join(&separator);
            let password = if upper { password.to_uppercase() } else { password };
            prop_assert!(is_made_of(&password, &[]), "{}", password);
        }

        /// A generated password is refused very rarely: never in these cases.
        #[test]
        fn generated_passwords_pass(password in "[a-zA-Z0-9]{20}") {
            prop_assert!(!is_guessable(&password), "{}", password);
        }

        #[test]
        fn any_text_is_judged(password in "\\PC{1,128}", own in proptest::collection::vec("\\PC{0,64}", 0..8)) {
            is_repetitive(&password);
            is_made_of(&password, &own);
        }
    }

    /// U+FDFA stands for 18 characters.
    #[test]
    fn the_longest_text_is_judged_quickly() {
        let text = "\u{fdfa}".repeat(128);
        is_repetitive(&text);
        assert!(is_made_of(&text, std::slice::from_ref(&text)));
    }
}
