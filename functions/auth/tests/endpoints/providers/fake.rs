//! A provider that signs real tokens, and that can be made to lie. It shares no code with what it is checked by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use serde_json::{Value, json};
use shared::clock::Clock;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) const CLIENT: &str = "our client+id";
pub(crate) const SECRET: &str = "our secret/+%";

type Parameters = BTreeMap<String, String>;

/// Somebody who signs in at the provider.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) subject: String,
    /// What the provider says of the address.
    pub(crate) email: Value,
    pub(crate) email_verified: Value,
}

impl Person {
    /// Somebody with a proved address.
    pub(crate) fn new(subject: &str, email: &str) -> Self {
        Self { subject: subject.into(), email: json!(email), email_verified: json!(true) }
    }
}

/// A key of the provider.
pub(crate) struct Key {
    pub(crate) kid: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl Key {
    pub(crate) fn rsa(kid: &'static str) -> Self {
        Self { kid, pair: Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()) }
    }

    pub(crate) fn ec(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid, pair: Pair::Ec(pair) }
    }

    pub(crate) fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
        }
    }

    fn public(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let [n, e] = [public.n, public.e].map(|number| BASE64_URL.encode(number));
                json!({"kty": "RSA", "n": n, "e": e})
            }
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let [x, y] = [&point[1..33], &point[33..]].map(|number| BASE64_URL.encode(number));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
        }
    }
}

/// How the provider lies in its next tokens: changes the header and the claims.
pub(crate) type Lie = fn(&mut Value, &mut Value);

/// The provider.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Inner>);

struct Inner {
    server: MockServer,
    clock: Clock,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) keys: Vec<Key>,
    /// Which key signs, whether it is published or not.
    pub(crate) signs: usize,
    /// How many of the keys are published, from the first one.
    pub(crate) published: usize,
    pub(crate) lie: Lie,
    /// What is in the configuration besides.
    pub(crate) metadata: Value,
    /// Whether only the endpoint of the user's data tells the address.
    pub(crate) tells_apart: bool,
    /// What is answered instead, by path.
    pub(crate) broken: BTreeMap<&'static str, ResponseTemplate>,
    /// What each code is for.
    codes: BTreeMap<String, (Parameters, Person)>,
    people: BTreeMap<String, Person>,
    /// How many requests each path has got.
    asked: BTreeMap<String, usize>,
}

/// Answers all requests.
struct Answers(Arc<Mutex<Option<Fake>>>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let fake = self.0.lock().unwrap().clone().unwrap();
        fake.answer(request)
    }
}

impl Fake {
    pub(crate) async fn start(clock: &Clock, key: Key) -> Self {
        let server = MockServer::start().await;
        let this = Arc::new(Mutex::new(None));
        Mock::given(any()).respond_with(Answers(this.clone())).mount(&server).await;
        let state = State {
            keys: vec![key],
            signs: 0,
            published: 1,
            lie: |_, _| (),
            metadata: json!({}),
            tells_apart: false,
            broken: BTreeMap::new(),
            codes: BTreeMap::new(),
            people: BTreeMap::new(),
            asked: BTreeMap::new(),
        };
        let fake = Self(Arc::new(Inner { server, clock: clock.clone(), state: Mutex::new(state) }));
        *this.lock().unwrap() = Some(fake.clone());
        fake
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    pub(crate) fn issuer(&self) -> String {
        self.0.server.uri()
    }

    /// The entry of the configuration with this id.
    pub(crate) fn entry(&self, id: &str) -> Value {
        json!({"id": id, "name": format!("Provider {id}"), "issuer": self.issuer(), "client_id": CLIENT})
    }

    /// How many requests the path has got.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.state().asked.get(path).copied().unwrap_or_default()
    }

    /// What the browser brings back when the person signs in at this URL.
    pub(crate) fn sign_in(&self, url: &str, person: &Person) -> Parameters {
        let (endpoint, query) = url.split_once('?').unwrap();
        assert!(endpoint.starts_with(&self.issuer()), "{url}");
        let asked: Parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(
            (asked["client_id"].as_str(), asked["code_challenge_method"].as_str()),
            (CLIENT, "S256")
        );
        let mut state = self.state();
        let code = format!("code {}", state.codes.len() + 1);
        let back =
            [("code", code.clone()), ("state", asked["state"].clone()), ("iss", self.issuer())];
        state.codes.insert(code, (asked, person.clone()));
        back.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn answer(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path().to_owned();
        let mut state = self.state();
        *state.asked.entry(path.clone()).or_default() += 1;
        if let Some(broken) = state.broken.get(path.as_str()) {
            return broken.clone();
        }
        match path.as_str() {
            "/.well-known/openid-configuration" => ok(&self.metadata(&state)),
            "/keys" => {
                let keys = state.keys[..state.published].iter().map(Key::public);
                let odd = json!({"kty": "none of ours", "kid": "odd"});
                ok(&json!({"keys": keys.chain([odd]).collect::<Vec<_>>()}))
            }
            "/token" => self.tokens(&mut state, request),
            "/userinfo" => match state.person(request) {
                Some(it) => ok(
                    &json!({"sub": it.subject, "email": it.email, "email_verified": it.email_verified}),
                ),
                None => ResponseTemplate::new(401),
            },
            _ => self.answer_as_github(&mut state, request),
        }
    }

    fn metadata(&self, state: &State) -> Value {
        let at = |path: &str| format!("{}/{path}", self.issuer());
        let mut metadata = json!({
            "issuer": self.issuer(), "authorization_endpoint": at("authorize?fixed=1"), "token_endpoint": at("token"),
            "jwks_uri": at("keys"), "userinfo_endpoint": at("userinfo"),
        });
        metadata.as_object_mut().unwrap().extend(state.metadata.as_object().unwrap().clone());
        metadata
    }

    fn tokens(&self, state: &mut State, request: &Request) -> ResponseTemplate {
        let form: Parameters = form_urlencoded::parse(&request.body).into_owned().collect();
        let encoded =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = BASE64_STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET)));
        let is_basic = request
            .headers
            .get("authorization")
            .is_some_and(|it| it.to_str().unwrap() == format!("Basic {basic}"));
        let has = |name: &str, value: &str| form.get(name).is_some_and(|it| it == value);
        let is_ours = is_basic || (has("client_id", CLIENT) && has("client_secret", SECRET));
        if !is_ours {
            return ResponseTemplate::new(401).set_body_json(json!({"error": "invalid_client"}));
        }
        let Some((asked, person)) = state.exchanged(&form) else {
            return ResponseTemplate::new(400).set_body_json(json!({"error": "invalid_grant"}));
        };
        let access = format!("access {}", state.people.len());
        state.people.insert(access.clone(), person.clone());
        let id_token = self.id_token(state, &asked, &person);
        ok(&json!({"access_token": access, "token_type": "Bearer", "id_token": id_token}))
    }

    fn id_token(&self, state: &State, asked: &Parameters, person: &Person) -> String {
        let (key, now) = (&state.keys[state.signs], self.0.clock.now().as_second());
        let mut header = json!({"alg": key.alg(), "kid": key.kid, "typ": "JWT"});
        let mut claims = json!({
            "iss": self.issuer(), "sub": person.subject, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked.get("nonce"),
        });
        if !state.tells_apart {
            let said = [("email", &person.email), ("email_verified", &person.email_verified)];
            for (name, value) in said.into_iter().filter(|(_, value)| !value.is_null()) {
                claims[name] = value.clone();
            }
        }
        (state.lie)(&mut header, &mut claims);
        let parts = [&header, &claims].map(|part| BASE64_URL.encode(part.to_string()));
        let message = parts.join(".");
        let signature = match header["alg"].as_str().unwrap() {
            "none" => Vec::new(),
            // With the public key as the secret, which a careless reader takes for one.
            "HS256" => {
                let public = state.keys[0].public().to_string();
                let secret = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
                hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
            }
            _ => key.sign(message.as_bytes()),
        };
        format!("{message}.{}", BASE64_URL.encode(signature))
    }

    fn answer_as_github(&self, state: &mut State, request: &Request) -> ResponseTemplate {
        let agent = request.headers.get("user-agent");
        assert!(agent.is_some() && !self.issuer().is_empty(), "GitHub wants one");
        match request.url.path() {
            "/login/oauth/access_token" => {
                let form: Parameters = form_urlencoded::parse(&request.body).into_owned().collect();
                let is_ours = form["client_id"] == CLIENT && form["client_secret"] == SECRET;
                let Some((_, person)) = state.exchanged(&form).filter(|_| is_ours) else {
                    return ok(&json!({"error": "bad_verification_code"}));
                };
                let access = format!("access {}", state.people.len());
                state.people.insert(access.clone(), person);
                ok(&json!({"access_token": access, "token_type": "bearer", "scope": "user:email"}))
            }
            "/api/v3/user" => match state.person(request) {
                Some(it) => ok(&json!({"id": it.subject.parse::<u64>().unwrap(), "login": "ada"})),
                None => ResponseTemplate::new(401),
            },
            "/api/v3/user/emails" => match state.person(request) {
                Some(it) => ok(&json!([
                    {"email": "other@example.org", "primary": false, "verified": true, "visibility": null},
                    {"email": it.email, "primary": true, "verified": it.email_verified, "visibility": "public"},
                ])),
                None => ResponseTemplate::new(401),
            },
            path => panic!("{path}"),
        }
    }
}

impl State {
    /// What a code is for, which is good once.
    fn exchanged(&mut self, form: &Parameters) -> Option<(Parameters, Person)> {
        let (asked, person) = self.codes.remove(form.get("code")?)?;
        let challenge = BASE64_URL.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
        let is_same =
            asked["code_challenge"] == challenge && asked["redirect_uri"] == form["redirect_uri"];
        is_same.then_some((asked, person))
    }

    fn person(&self, request: &Request) -> Option<Person> {
        let bearer = request.headers.get("authorization")?.to_str().unwrap();
        self.people.get(bearer.strip_prefix("Bearer ")?).cloned()
    }
}

fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}
