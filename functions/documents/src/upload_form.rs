//! The form that uploads one file, signed with S3's
//! [POST policy](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html).
//! The SDK cannot create such a form.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

/// The only accepted content type.
pub const CONTENT_TYPE: &str = "application/pdf";

/// What a form may upload.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The bucket's region.
    pub region: &'a str,
    /// The object's key. S3 refuses any other.
    pub key: &'a str,
    /// The file's size in bytes. S3 refuses any other.
    pub size: u64,
    /// When the form expires.
    pub expires_at: Timestamp,
}

/// The form's fields. The client sends them as `multipart/form-data`, with the file last in the field `file`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fields(pub BTreeMap<&'static str, String>);

/// Signs a form for `grant`.
#[must_use]
pub fn sign(grant: &Grant<'_>, credentials: &Credentials, now: Timestamp) -> Fields {
    let date = now.strftime("%Y%m%d").to_string();
    let scope = format!("{date}/{}/s3/aws4_request", grant.region);
    let mut fields = BTreeMap::from([
        ("key", grant.key.to_owned()),
        ("Content-Type", CONTENT_TYPE.to_owned()),
        ("success_action_status", "201".to_owned()),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("x-amz-credential", format!("{}/{scope}", credentials.access_key_id())),
        ("x-amz-date", now.strftime("%Y%m%dT%H%M%SZ").to_string()),
    ]);
    if let Some(token) = credentials.session_token() {
        fields.insert("x-amz-security-token", token.to_owned());
    }

    // Every field, the bucket and the size are conditions, so that the client cannot change them.
    let mut conditions: Vec<_> =
        fields.iter().map(|(name, value)| json!(["eq", format!("${name}"), value])).collect();
    conditions.push(json!({"bucket": grant.bucket}));
    conditions.push(json!(["content-length-range", grant.size, grant.size]));
    let policy = json!({
        "expiration": grant.expires_at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
        "conditions": conditions,
    });
    let policy = BASE64_STANDARD.encode(policy.to_string());

    let secret = credentials.secret_access_key();
    let signing_key = generate_signing_key(secret, SystemTime::from(now), grant.region, "s3");
    fields.insert("x-amz-signature", calculate_signature(signing_key, policy.as_bytes()));
    fields.insert("policy", policy);
    Fields(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected signature was computed with Python's `hmac`, following the steps of AWS's page.
    #[test]
    fn a_form_is_signed_as_aws_specifies() {
        let grant = Grant {
            bucket: "files",
            region: "eu-central-1",
            key: "uploads/a.pdf",
            size: 1234,
            expires_at: "2026-11-21T10:15:00Z".parse().unwrap(),
        };
        let credentials =
            Credentials::new("AKIDEXAMPLE", "secret", Some("token".into()), None, "t");
        let Fields(fields) = sign(&grant, &credentials, "2026-11-21T10:00:00Z".parse().unwrap());
        let policy = BASE64_STANDARD.decode(&fields["policy"]).unwrap();
        let policy: serde_json::Value = serde_json::from_slice(&policy).unwrap();
        assert_eq!(
            policy,
            json!({
                "expiration": "2026-11-21T10:15:00.000Z",
                "conditions": [
                    ["eq", "$Content-Type", "application/pdf"],
                    ["eq", "$key", "uploads/a.pdf"],
                    ["eq", "$success_action_status", "201"],
                    ["eq", "$x-amz-algorithm", "AWS4-HMAC-SHA256"],
                    ["eq", "$x-amz-credential", "AKIDEXAMPLE/20261121/eu-central-1/s3/aws4_request"],
                    ["eq", "$x-amz-date", "20261121T100000Z"],
                    ["eq", "$x-amz-security-token", "token"],
                    {"bucket": "files"},
                    ["content-length-range", 1234, 1234],
                ],
            })
        );
        assert_eq!(
            fields["x-amz-signature"],
            "c092f6b14fadeb12ddce65f351c8f85dc2220502d30abef1db9f721c359b057d"
        );
    }
}
