//! An authenticator in software, with a browser around it. Its fields say what it does wrong.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::{Value, json};

use crate::support::ISSUER;

pub(super) const USER_PRESENT: u8 = 1;
pub(super) const USER_VERIFIED: u8 = 4;
pub(super) const BACKUP_ELIGIBLE: u8 = 8;
pub(super) const BACKED_UP: u8 = 16;
pub(super) const HAS_CREDENTIAL: u8 = 64;
pub(super) const HAS_EXTENSIONS: u8 = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Es256,
    EdDsa,
    Rs256,
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

/// A device with one passkey.
pub(super) struct Device {
    key: Key,
    pub(super) id: Vec<u8>,
    /// The number of the last signature; `None` if it does not count.
    pub(super) counter: Option<u32>,
    pub(super) flags: u8,
    pub(super) origin: String,
    pub(super) rp_id: String,
    /// Further members of the client data.
    pub(super) client_data: Value,
    /// What follows the data of the authenticator.
    pub(super) extensions: Vec<u8>,
    /// The format of the attestation and its statement.
    pub(super) attestation: (&'static str, Cbor),
    /// The COSE key, if it is another one than that of the key.
    pub(super) cose: Option<Vec<u8>>,
    pub(super) user: Vec<u8>,
}

pub(super) fn encoded(bytes: &[u8]) -> Value {
    json!(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

pub(super) fn decoded(text: &Value) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

pub(super) fn cbor(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

pub(super) fn map(entries: Vec<(impl Into<Cbor>, impl Into<Cbor>)>) -> Cbor {
    Cbor::Map(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
}

/// A random id of a passkey.
fn id() -> Vec<u8> {
    let mut id = vec![0; 32];
    aws_lc_rs::rand::fill(&mut id).unwrap();
    id
}

impl Device {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let key = match algorithm {
            Algorithm::Es256 => {
                Key::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
            }
            Algorithm::EdDsa => Key::EdDsa(Ed25519KeyPair::generate().unwrap()),
            Algorithm::Rs256 => {
                Key::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
            }
        };
        Self {
            key,
            id: id(),
            counter: None,
            flags: USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE | BACKED_UP,
            origin: ISSUER.to_owned(),
            rp_id: "auth.example.org".to_owned(),
            client_data: json!({"crossOrigin": false}),
            extensions: Vec::new(),
            attestation: ("none", Cbor::Map(Vec::new())),
            cose: None,
            user: Vec::new(),
        }
    }

    /// The public key as COSE.
    pub(super) fn cose(&self) -> Vec<u8> {
        let entries: Vec<(i64, Cbor)> = match &self.key {
            Key::Es256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (point[1..33].to_vec(), point[33..].to_vec());
                let curve = vec![(-1, 1.into()), (-2, Cbor::Bytes(x)), (-3, Cbor::Bytes(y))];
                [vec![(1, 2.into()), (3, (-7).into())], curve].concat()
            }
            Key::EdDsa(key) => {
                let x = Cbor::Bytes(key.public_key().as_ref().to_vec());
                vec![(1, 1.into()), (3, (-8).into()), (-1, 6.into()), (-2, x)]
            }
            Key::Rs256(key) => {
                let public = key.public_key();
                let n = public.modulus().big_endian_without_leading_zero().to_vec();
                let e = public.exponent().big_endian_without_leading_zero().to_vec();
                let numbers = vec![(-1, Cbor::Bytes(n)), (-2, Cbor::Bytes(e))];
                [vec![(1, 3.into()), (3, (-257).into())], numbers].concat()
            }
        };
        cbor(&map(entries))
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Es256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::EdDsa(key) => key.sign(message).as_ref().to_vec(),
            Key::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The client data of a browser for this challenge.
    pub(super) fn said(&self, kind: &str, options: &Value) -> Vec<u8> {
        let mut said = json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin,
            "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
        });
        for (name, value) in self.client_data.as_object().unwrap() {
            said[name] = value.clone();
        }
        said.to_string().into_bytes()
    }

    fn data(&mut self, flags: u8, credential: &[u8]) -> Vec<u8> {
        let counter = self.counter.map_or(0, |counter| counter + 1);
        self.counter = self.counter.map(|_| counter);
        let hash = digest(&SHA256, self.rp_id.as_bytes());
        let flags = [self.flags | flags];
        [hash.as_ref(), &flags, &counter.to_be_bytes(), credential, &self.extensions].concat()
    }

    /// What `navigator.credentials.create` gives.
    pub(super) fn create(&mut self, options: &Value) -> Value {
        self.user = decoded(&options["user"]["id"]);
        self.create_as("webauthn.create", options)
    }

    pub(super) fn create_as(&mut self, kind: &str, options: &Value) -> Value {
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let cose = self.cose.clone().unwrap_or_else(|| self.cose());
        let credential = [&[0; 16][..], &length, &self.id, &cose].concat();
        let (said, data) = (self.said(kind, options), self.data(HAS_CREDENTIAL, &credential));
        let (format, statement) = self.attestation.clone();
        let statement = match statement {
            // Self attestation.
            Cbor::Null => {
                let signed = [&data[..], digest(&SHA256, &said).as_ref()].concat();
                let signature = Cbor::Bytes(self.sign(&signed));
                map(vec![("alg", Cbor::from(-7)), ("sig", signature)])
            }
            statement => statement,
        };
        let object = map(vec![
            ("fmt", Cbor::from(format)),
            ("attStmt", statement),
            ("authData", Cbor::Bytes(data)),
        ]);
        json!({
            "id": encoded(&self.id), "rawId": encoded(&self.id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(&said), "attestationObject": encoded(&cbor(&object)),
                "transports": ["internal"],
            },
        })
    }

    /// What `navigator.credentials.get` gives.
    pub(super) fn get(&mut self, options: &Value) -> Value {
        self.get_as("webauthn.get", options)
    }

    pub(super) fn get_as(&mut self, kind: &str, options: &Value) -> Value {
        let (said, data) = (self.said(kind, options), self.data(0, &[]));
        let signature = self.sign(&[&data[..], digest(&SHA256, &said).as_ref()].concat());
        json!({
            "id": encoded(&self.id), "rawId": encoded(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(&said), "authenticatorData": encoded(&data),
                "signature": encoded(&signature), "userHandle": encoded(&self.user),
            },
        })
    }
}
