use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shared::clock::Clock;

use super::*;
use crate::keys::LEAD;
use crate::user::User;

const NOW: &str = "2026-11-21T10:00:00Z";

struct Fixture {
    issuer: Issuer,
    verifier: Verifier,
    claims: Value,
    now: Timestamp,
}

fn fixture() -> Fixture {
    let now: Timestamp = NOW.parse().unwrap();
    let ring = KeyRing::generate(now).unwrap();
    let issuer = Issuer::new("arsenal-test".into(), &ring).unwrap();
    let verifier = Verifier::new("arsenal-test", ring.public().unwrap());
    let ids = Ids::sequential(Clock::manual(now));
    let token = issuer.issue(subject(&ids), &ids, now).unwrap();
    let claims = serde_json::to_value(verifier.verify(&token, now).unwrap()).unwrap();
    Fixture { issuer, verifier, claims, now }
}

fn subject(ids: &Ids) -> Subject {
    let email = "ada@example.org".to_owned().try_into().unwrap();
    let user = User::register(email, ids, NOW.parse().unwrap());
    Subject {
        user: user.id,
        tenant: user.tenant,
        role: None,
        session: Some(ids.next()),
        application: None,
        scope: user.in_own_tenant().scopes().join(" "),
    }
}

impl Fixture {
    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.issuer.keys[0].key).unwrap()
    }
    fn header(&self) -> Header {
        header_of(Some(self.issuer.keys[0].id.clone()))
    }
    fn refuses(&self, token: &str) -> bool {
        self.verifier.verify(token, self.now).is_err()
    }
}

#[test]
fn a_token_has_the_standard_claims() {
    let claims = fixture().claims;
    assert_eq!(claims["iss"], "arsenal-test");
    assert_eq!((&claims["aud"], &claims["client_id"]), (&json!("arsenal"), &json!("arsenal")));
    assert_eq!(
        claims["scope"],
        "account audit:read documents:read documents:write orders:read orders:write"
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
}

#[test]
fn a_token_expires_to_the_second() {
    let f = fixture();
    let token = f.sign(&f.header(), &f.claims);
    let end = f.now + LIFETIME;
    assert!(f.verifier.verify(&token, end - Duration::from_secs(1)).is_ok());
    assert!(matches!(f.verifier.verify(&token, end), Err(Rejected::Expired)));
}

#[test]
fn another_issuer_audience_or_a_missing_claim_is_refused() {
    let f = fixture();
    for (claim, value) in [("iss", json!("else")), ("aud", json!("else")), ("sub", json!("x"))] {
        let mut claims = f.claims.clone();
        claims[claim] = value;
        assert!(f.refuses(&f.sign(&f.header(), &claims)), "{claim}");
    }
    for claim in ["iss", "aud", "sub", "exp", "tenant", "scope", "client_id"] {
        let mut claims = f.claims.clone();
        claims.as_object_mut().unwrap().remove(claim);
        assert!(f.refuses(&f.sign(&f.header(), &claims)), "{claim}");
    }
}

#[test]
fn another_type_key_or_algorithm_is_refused() {
    let f = fixture();
    assert!(!f.refuses(&f.sign(&f.header(), &f.claims)));
    assert!(f.refuses(&f.sign(&Header { typ: Some("JWT".into()), ..f.header() }, &f.claims)));
    assert!(f.refuses(&f.sign(&Header { typ: None, ..f.header() }, &f.claims)));
    assert!(f.refuses(&f.sign(&Header { kid: None, ..f.header() }, &f.claims)));
    assert!(f.refuses(&f.sign(&Header { kid: Some("x".into()), ..f.header() }, &f.claims)));

    let other = KeyRing::generate(f.now).unwrap().signing()[0].encoding_key();
    assert!(f.refuses(&jsonwebtoken::encode(&f.header(), &f.claims, &other).unwrap()));

    // The algorithm confusion attack: the public key as an HMAC secret.
    let public = serde_json::to_vec(&f.verifier.keys).unwrap();
    let hmac = EncodingKey::from_secret(&public);
    let header = Header { alg: Algorithm::HS256, ..f.header() };
    assert!(f.refuses(&jsonwebtoken::encode(&header, &f.claims, &hmac).unwrap()));
}

#[test]
fn a_header_that_brings_a_key_or_more_is_refused() {
    let f = fixture();
    let own = f.verifier.keys.keys[0].clone();
    for header in [
        Header { jwk: Some(own), ..f.header() },
        Header { jku: Some("https://example.org/keys".into()), ..f.header() },
        Header { x5u: Some("https://example.org/cert".into()), ..f.header() },
        Header { x5c: Some(vec!["AAAA".into()]), ..f.header() },
        Header { crit: Some(vec!["exp".into()]), ..f.header() },
        Header { crit: Some(Vec::new()), ..f.header() },
        Header { cty: Some("JWT".into()), ..f.header() },
        Header { kid: Some("../keys".into()), ..f.header() },
    ] {
        assert!(f.refuses(&f.sign(&header, &f.claims)), "{header:?}");
    }
    // Members that the library does not know.
    let key = &f.issuer.keys[0];
    for (name, value) in [("b64", json!(false)), ("x", json!(1)), ("typ", json!("at+jwt"))] {
        let header =
            format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{}","{name}":{value}}}"#, key.id);
        let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
        let content = format!("{}.{}", encode(header), encode(f.claims.to_string()));
        let signature =
            jsonwebtoken::crypto::sign(content.as_bytes(), &key.key, Algorithm::EdDSA).unwrap();
        assert!(f.refuses(&format!("{content}.{signature}")), "{name}");
    }
}

#[test]
fn a_token_of_the_future_is_refused() {
    let f = fixture();
    for (ahead, is_valid) in [(-60, true), (SKEW, true), (SKEW + 1, false), (900, false)] {
        let mut claims = f.claims.clone();
        claims["nbf"] = json!(f.now.as_second() + ahead);
        assert_eq!(!f.refuses(&f.sign(&f.header(), &claims)), is_valid, "{ahead}");
    }
    for nbf in [json!("soon"), json!(1e300), json!(1.5)] {
        let mut claims = f.claims.clone();
        claims["nbf"] = nbf;
        assert!(f.refuses(&f.sign(&f.header(), &claims)));
    }
}

#[test]
fn after_a_rotation_each_key_signs_in_its_time() {
    let now: Timestamp = NOW.parse().unwrap();
    let ring = KeyRing::generate(now).unwrap().rotated(now).unwrap();
    let issuer = Issuer::new("arsenal-test".into(), &ring).unwrap();
    let ids = Ids::sequential(Clock::manual(now));
    let verifier = Verifier::new("arsenal-test", ring.public().unwrap());
    let signed_by = |at: Timestamp| {
        let token = issuer.issue(subject(&ids), &ids, at).unwrap();
        assert!(verifier.verify(&token, at).is_ok());
        jsonwebtoken::decode_header(&token).unwrap().kid.unwrap()
    };
    let kids: Vec<_> = ring.signing().iter().map(|key| key.id().unwrap()).collect();
    assert_eq!(signed_by(now - LEAD), kids[0], "the clock is behind");
    assert_eq!(signed_by(now + LEAD - Duration::from_secs(1)), kids[0]);
    assert_eq!(signed_by(now + LEAD), kids[1]);
}

#[test]
fn an_unsigned_or_altered_token_is_refused() {
    let f = fixture();
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let none = json!({"alg": "none", "typ": TYPE, "kid": f.issuer.keys[0].id});
    assert!(f.refuses(&format!("{}.{}.", encode(&none), encode(&f.claims))));

    let token = f.sign(&f.header(), &f.claims);
    let parts: Vec<_> = token.split('.').collect();
    let mut claims = f.claims.clone();
    claims["scope"] = json!("admin");
    assert!(f.refuses(&format!("{}.{}.{}", parts[0], encode(&claims), parts[2])));
    assert!(f.refuses(&format!("{}.{}.", parts[0], parts[1])));
    assert!(f.refuses(""));
    assert!(f.refuses("a.b.c"));
}

/// An ID token is for an application, and opens no endpoint.
#[test]
fn an_id_token_is_no_access_token() {
    let now: Timestamp = NOW.parse().unwrap();
    let ring = KeyRing::generate(now).unwrap();
    let issuer = Issuer::new("arsenal-test".into(), &ring).unwrap();
    let verifier = Verifier::new("arsenal-test", ring.public().unwrap());
    let f = fixture();
    let token = issuer.sign_identity(&f.claims, now).unwrap();
    assert!(matches!(verifier.verify(&token, now), Err(Rejected::Header)));
    // Nor is one whose header says that it is one.
    let key = ring.identity()[0].identity().unwrap();
    let id = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let header = json!({"alg": "EdDSA", "typ": TYPE, "kid": id}).to_string();
    let signed = key.sign(&f.claims).unwrap();
    let rest = signed.split_once('.').unwrap().1;
    let forged = format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(header));
    assert!(verifier.verify(&forged, now).is_err());
}

/// A library of OpenID Connect reads it with the published key.
#[test]
fn an_id_token_is_read_with_the_published_key() {
    let now: Timestamp = NOW.parse().unwrap();
    let ring = KeyRing::generate(now).unwrap().rotated(now).unwrap();
    let issuer = Issuer::new("arsenal-test".into(), &ring).unwrap();
    let keys = ring.public().unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["app"]);
    let claims = json!({"aud": "app", "exp": 4_102_444_800_u64, "nonce": "é"});
    let mut kids = Vec::new();
    for at in [now, now + LEAD] {
        let token = issuer.sign_identity(&claims, at).unwrap();
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
        let read = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
        assert_eq!(read.claims, claims);
        kids.push(kid);
    }
    let all: Vec<_> = ring.identity().iter().map(|key| key.id().unwrap()).collect();
    assert_eq!(kids, all, "each key signs in its time");
}
