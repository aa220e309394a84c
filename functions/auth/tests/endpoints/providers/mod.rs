//! Sign-in at outside providers: with a provider that signs real tokens, and that lies.

mod attacks;
mod fake;
mod flows;
mod life;
mod outages;
mod races;

use std::collections::BTreeMap;

use auth::store::Account;
use serde_json::{Value, json};

use self::fake::{Fake, Key, Person, SECRET};
use crate::oauth::with_cookie;
use crate::pages::{Page, opened, sent, unescaped};
use crate::support::{Auth, auth};

/// The provider that most tests use.
const ONE: &str = "one";

/// Auth that offers one provider.
async fn with_provider() -> (Auth, Fake) {
    with_key(Key::ec("key 1")).await
}

/// The provider signs with this key.
async fn with_key(key: Key) -> (Auth, Fake) {
    let mut auth = auth().await;
    let fake = Fake::start(&auth.clock, key).await;
    auth.offer(&json!([fake.entry(ONE)]).to_string(), &secrets(&[ONE]));
    (auth, fake)
}

/// Auth that offers two providers.
async fn with_two() -> (Auth, Fake, Fake) {
    let mut auth = auth().await;
    let one = Fake::start(&auth.clock, Key::ec("key 1")).await;
    let two = Fake::start(&auth.clock, Key::ec("key 1")).await;
    let entries = json!([one.entry(ONE), two.entry("two")]);
    auth.offer(&entries.to_string(), &secrets(&[ONE, "two"]));
    (auth, one, two)
}

fn secrets(ids: &[&str]) -> String {
    let secrets: BTreeMap<_, _> = ids.iter().map(|id| (*id, SECRET)).collect();
    json!(secrets).to_string()
}

fn ada() -> Person {
    Person::new("subject of Ada", "ada@example.org")
}

/// A browser that is on its way to a provider.
#[derive(Clone, Debug)]
struct OnItsWay {
    provider: &'static str,
    url: String,
    cookie: String,
}

impl Auth {
    /// Sends the form of a button. Gives where the browser goes.
    async fn goes(&self, provider: &'static str, next: &[(&str, &str)]) -> OnItsWay {
        let fields: Vec<_> = [("provider", provider)].iter().chain(next).copied().collect();
        let page = self.browse(sent("sign-in-with", &fields)).await.says(200, "Go on to Provider");
        let refresh = page.headers["refresh"].to_str().unwrap();
        let url = refresh.strip_prefix("0; url=").unwrap().to_owned();
        let [link] = page.values_of("href")[..] else { panic!("{}", page.body) };
        assert_eq!(unescaped(link), url);
        let [set] = &page.cookies[..] else { panic!("{:?}", page.cookies) };
        let (cookie, attributes) = set.split_once("; ").unwrap();
        assert_eq!(attributes, "Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert!(cookie.starts_with("__Host-arsenal-attempt="), "{cookie}");
        OnItsWay { provider, url, cookie: cookie.to_owned() }
    }

    /// The browser comes back with these parameters.
    async fn comes_back(&self, browser: &OnItsWay, answer: &BTreeMap<String, String>) -> Page {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
        self.browse(back(browser.provider, &query, &browser.cookie)).await
    }

    /// The person signs in with the button, at the provider.
    async fn signs_in(&self, fake: &Fake, provider: &'static str, person: &Person) -> Page {
        let browser = self.goes(provider, &[]).await;
        let answer = fake.sign_in(&browser.url, person);
        self.comes_back(&browser, &answer).await
    }

    /// The account with an address.
    async fn account_of(&self, email: &str) -> Option<Account> {
        self.users.by_email(&email.to_owned().try_into().unwrap()).await.unwrap()
    }

    /// Items of the table whose keys begin so.
    async fn items(&self, pk: &str, sk: &str) -> Vec<Value> {
        let table = aws_sdk_dynamodb::Client::new(&self.aws).scan().table_name("auth").send();
        let items = table.await.unwrap().items.unwrap_or_default();
        let items =
            items.into_iter().map(|item| serde_dynamo::from_item::<_, Value>(item).unwrap());
        let begins =
            |item: &Value, name: &str, with: &str| item[name].as_str().unwrap().starts_with(with);
        items.filter(|item| begins(item, "pk", pk) && begins(item, "sk", sk)).collect()
    }

    /// How many accounts and identities there are: under their subjects, and of users.
    async fn counted(&self) -> [usize; 3] {
        let items = self.items("", "").await;
        let of = |is: fn(&str, &str) -> bool| {
            let key = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
            items.iter().filter(|item| is(&key(item, "pk"), &key(item, "sk"))).count()
        };
        [
            of(|_, sk| sk == "ACCOUNT"),
            of(|pk, _| pk.starts_with("IDENTITY#")),
            of(|_, sk| sk.starts_with("IDENTITY#")),
        ]
    }
}

/// The event of a browser that comes back.
fn back(provider: &str, query: &str, cookie: &str) -> Value {
    with_cookie(opened(&format!("callback/{provider}"), query), cookie)
}

/// The cookie of the session that a page has begun.
fn session(page: &Page) -> String {
    let set = page.cookies.iter().find(|set| set.starts_with("__Host-arsenal="));
    let set = set.unwrap_or_else(|| panic!("{:?}", page.cookies));
    assert!(page.cookies.iter().any(|it| it.starts_with("__Host-arsenal-attempt=; Max-Age=0;")));
    set.split_once(';').unwrap().0.to_owned()
}
