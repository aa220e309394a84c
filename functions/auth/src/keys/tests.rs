use super::*;

fn now() -> Timestamp {
    "2026-11-30T10:00:00Z".parse().unwrap()
}

#[test]
fn a_ring_from_before_id_tokens_gets_their_key_in_a_rotation() {
    let ring = KeyRing::generate(now()).unwrap();
    let mut old: serde_json::Value = serde_json::from_str(&ring.to_secret().unwrap()).unwrap();
    old.as_object_mut().unwrap().remove("identity");
    old["signing"][0].as_object_mut().unwrap().remove("kind");
    let old = KeyRing::from_secret(&old.to_string()).unwrap();
    assert!(old.identity().is_empty());
    assert_eq!((ids(&old), old.rotated(now()).unwrap().identity().len()), (ids(&ring), 1));
}

fn ids(ring: &KeyRing) -> Vec<String> {
    ring.signing().iter().map(|key| key.id().unwrap()).collect()
}

#[test]
fn keys_round_trip_through_their_secret() {
    let ring = KeyRing::generate(now()).unwrap();
    let again = KeyRing::from_secret(&ring.to_secret().unwrap()).unwrap();
    assert_eq!((ids(&again), &again.refresh), (ids(&ring), &ring.refresh));
    assert_eq!(again.factors, ring.factors);
}

#[test]
fn the_public_half_has_no_private_key() {
    let ring = KeyRing::generate(now()).unwrap();
    let jwk = serde_json::to_value(ring.public().unwrap()).unwrap()["keys"][0].clone();
    assert_eq!(jwk["kty"], "OKP");
    assert_eq!(jwk["crv"], "Ed25519");
    assert_eq!(jwk["alg"], "EdDSA");
    assert_eq!(jwk["kid"], ids(&ring)[0]);
    assert!(jwk.get("d").is_none());
}

#[test]
fn a_rotation_keeps_the_keys_of_tokens_that_are_valid() {
    let first = KeyRing::generate(now()).unwrap();
    let (refresh, old) = (first.refresh.clone(), ids(&first)[0].clone());
    let second = first.rotated(now()).unwrap();
    let both = ids(&second);
    assert_eq!((both.len(), &both[0]), (2, &old));
    assert_eq!(second.signing()[1].since(), now() + LEAD);
    let signs = now() + LEAD;
    let early = second.rotated(signs + RETIRED - Duration::from_secs(1)).unwrap();
    assert_eq!(ids(&early)[..2], both[..], "tokens of the first may be valid");
    let late = early.rotated(signs + RETIRED).unwrap();
    assert_eq!(ids(&late)[0], both[1]);
    assert_eq!(late.refresh, refresh);
}

#[test]
fn the_key_of_second_factors_is_never_replaced() {
    let ring = KeyRing::generate(now()).unwrap();
    let (old, refresh, factors) = (ids(&ring), ring.refresh.clone(), ring.factors.clone());
    let rotated = ring.rotated(now()).unwrap();
    assert_eq!(rotated.factors, factors);
    let replaced = rotated.replaced(now()).unwrap();
    assert_eq!(replaced.factors, factors);
    assert!(replaced.refresh != refresh && !old.contains(&ids(&replaced)[0]));
    assert_eq!(replaced.signing().len(), 1);
}

/// A secret from before there were second factors.
#[test]
fn a_ring_without_a_key_of_second_factors_gets_one_with_a_rotation() {
    let ring = KeyRing::generate(now()).unwrap();
    let mut former: serde_json::Value = serde_json::from_str(&ring.to_secret().unwrap()).unwrap();
    former.as_object_mut().unwrap().remove("factors");
    let former = || KeyRing::from_secret(&former.to_string()).unwrap();
    assert!(former().factors().unwrap().is_none());
    for ring in [former().rotated(now()).unwrap(), former().replaced(now()).unwrap()] {
        assert_eq!(ring.factors.len(), 32);
        assert!(ring.factors().unwrap().is_some());
    }
}

#[test]
fn a_secret_that_is_no_ring_is_an_error() {
    let ring = KeyRing::generate(now()).unwrap();
    let good: serde_json::Value = serde_json::from_str(&ring.to_secret().unwrap()).unwrap();
    for (path, value) in [
        ("/signing", serde_json::json!([])),
        ("/signing/0/pkcs8", "AAAA".into()),
        ("/signing/0/pkcs8", "not base 64".into()),
        ("/refresh", "AAAA".into()),
        ("/factors", "AAAA".into()),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        assert!(KeyRing::from_secret(&bad.to_string()).is_err(), "{path}");
    }
    assert!(KeyRing::from_secret("AAAA").is_err());
}
