//! A user with a second factor, and an authenticator app that shares no code with the one that checks.

use auth::second_factor::totp::STEP;
use auth::store::Account;
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::sessions::{ADA, with_ada};
use crate::support::{Answer, Auth, PASSWORD, Tokens, sample};

/// An authenticator app with the secret of an enrolment, and the recovery codes of its user.
pub(crate) struct Phone {
    pub(crate) secret: String,
    pub(crate) recovery: Vec<String>,
}

impl Phone {
    /// The phone of an enrolment, from its URI, as an app scans it.
    pub(crate) fn of(enrolment: &Value) -> Self {
        let uri = enrolment["uri"].as_str().unwrap();
        let (_, rest) = uri.split_once("?secret=").unwrap();
        let secret = rest.split('&').next().unwrap().to_owned();
        assert_eq!(enrolment["secret"], secret.as_str());
        Self { secret, recovery: Vec::new() }
    }

    /// The code that it shows, when its clock is `steps` ahead.
    pub(crate) fn code(&self, auth: &Auth, steps: i64) -> String {
        let secret = BASE32_NOPAD.decode(self.secret.as_bytes()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
        let step = auth.clock.now().as_second() / STEP + steps;
        let mac = hmac::sign(&key, &step.to_be_bytes());
        let at = usize::from(mac.as_ref()[19] & 15);
        let word: [u8; 4] = mac.as_ref()[at..at + 4].try_into().unwrap();
        format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
    }

    /// A code that is not right now.
    pub(crate) fn wrong(&self, auth: &Auth) -> String {
        let right: Vec<_> = (-1..=1).map(|steps| self.code(auth, steps)).collect();
        let codes = (0..4).map(|number| format!("{number:06}"));
        codes.into_iter().find(|code| !right.contains(code)).unwrap()
    }
}

/// The sample event with this body.
pub(crate) fn request(name: &str, body: &Value) -> Value {
    let mut event = sample(name);
    event["body"] = json!(body.to_string());
    event
}

/// Ada, who has a second factor, and her phone. Its current code is not used yet.
pub(crate) async fn with_factor() -> (Auth, Tokens, Phone) {
    // Boxed, so that the futures of tests stay small.
    let (auth, tokens) = Box::pin(with_ada()).await;
    let mut phone = auth.enrol(&tokens).await;
    let confirmed = auth.confirm(&tokens, &phone.code(&auth, 0)).await.ok(200);
    phone.recovery = recovery_codes(&confirmed);
    auth.seconds(STEP);
    (auth, tokens, phone)
}

pub(crate) fn recovery_codes(answer: &Value) -> Vec<String> {
    serde_json::from_value(answer["recovery_codes"].clone()).unwrap()
}

impl Auth {
    pub(crate) fn seconds(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) async fn enrol(&self, tokens: &Tokens) -> Phone {
        Phone::of(&self.as_user(&tokens.access, sample("enrol-totp")).await.ok(201))
    }

    pub(crate) async fn confirm(&self, tokens: &Tokens, code: &str) -> Answer {
        self.as_user(&tokens.access, request("confirm-totp", &json!({"code": code}))).await
    }

    /// Removes the second factor, or renews the recovery codes.
    pub(crate) async fn with_code(&self, name: &str, tokens: &Tokens, code: &str) -> Answer {
        let body = json!({"current_password": PASSWORD, "code": code});
        self.as_user(&tokens.access, request(name, &body)).await
    }

    /// The challenge of Ada.
    pub(crate) async fn challenge(&self) -> String {
        let answer = self.sign_in(ADA, PASSWORD).await.ok(202);
        answer["challenge"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn answer(&self, challenge: &str, code: &str) -> Answer {
        self.call_with("login-code", &json!({"challenge": challenge, "code": code})).await
    }

    /// A sign-in of Ada with the password and a code.
    pub(crate) async fn sign_in_with(&self, code: &str) -> Answer {
        self.answer(&self.challenge().await, code).await
    }

    pub(crate) async fn factor(&self, tokens: &Tokens) -> Value {
        self.as_user(&tokens.access, sample("get-totp")).await.ok(200)
    }

    /// The next tokens of a session.
    pub(crate) async fn refreshed(&self, tokens: &Tokens) -> Tokens {
        Tokens::of(&self.refresh(&tokens.refresh).await.ok(200))
    }

    pub(crate) async fn ada(&self) -> Account {
        let email = ADA.to_owned().try_into().unwrap();
        self.users.by_email(&email).await.unwrap().unwrap()
    }
}
