use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use lambda_http::http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::json::{self, INVALID_BODY, UNSUPPORTED_MEDIA_TYPE};
use crate::Result;
use crate::problem::Problem;

/// The media type of a merge patch.
pub(super) const MERGE_PATCH: &str = "application/merge-patch+json";

/// A body that changes some fields of a `T`: a merge patch
/// ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)). A field that it does not have stays as it is, `null` removes a
/// field, and an object changes some fields of an object.
#[derive(Clone, Debug)]
pub struct MergePatch<T> {
    patch: Map<String, Value>,
    of: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> MergePatch<T> {
    /// `current` with the changes.
    ///
    /// # Errors
    /// 422 when the result is no `T`, or when the patch removes a field that no `T` has; it names the field.
    pub fn applied(&self, current: &T) -> Result<T> {
        let mut patched = serde_json::to_value(current)?;
        let mut with_nulls = patched.clone();
        if add_nulls(&mut with_nulls, &self.patch)
            && let Some(problem) = json::unknown_name::<T>(&serde_json::to_vec(&with_nulls)?)
        {
            return Err(problem.into());
        }
        json_patch::merge(&mut patched, &Value::Object(self.patch.clone()));
        Ok(json::parse(&serde_json::to_vec(&patched)?)?)
    }

    /// Whether the patch has this field of the whole.
    #[must_use]
    pub fn names(&self, field: &str) -> bool {
        self.patch.contains_key(field)
    }
}

/// Adds a `null` for each removal of a member that is not there, and tells whether there is one: the merge would
/// ignore it, also if its name is misspelt.
fn add_nulls(current: &mut Value, patch: &Map<String, Value>) -> bool {
    let Value::Object(members) = current else { return false };
    let mut is_any = false;
    for (name, change) in patch {
        match (members.get_mut(name), change) {
            (None, Value::Null) => {
                members.insert(name.clone(), Value::Null);
                is_any = true;
            }
            (Some(member), Value::Object(changes)) => is_any |= add_nulls(member, changes),
            (None, Value::Object(changes)) => {
                let mut added = Value::Object(Map::new());
                if add_nulls(&mut added, changes) {
                    members.insert(name.clone(), added);
                    is_any = true;
                }
            }
            _ => {}
        }
    }
    is_any
}

impl<T, S: Send + Sync> FromRequest<S> for MergePatch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !json::is_of(request.headers(), MERGE_PATCH) {
            return Err(Problem::of(UNSUPPORTED_MEDIA_TYPE)
                .field("Content-Type", format!("send {MERGE_PATCH}"))
                .header(
                    HeaderName::from_static("accept-patch"),
                    HeaderValue::from_static(MERGE_PATCH),
                ));
        }
        let body = json::checked(request, state).await?;
        let patch = json::parse::<Value>(&body)?;
        let Value::Object(patch) = patch else {
            return Err(Problem::of(INVALID_BODY).detail("The patch is not an object."));
        };
        Ok(Self { patch, of: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::Error;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Product {
        name: String,
        #[serde(default)]
        active: bool,
        price: Price,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        size: Option<Size>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Size {
        #[serde(skip_serializing_if = "Option::is_none")]
        weight: Option<u32>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Price {
        amount: u32,
        currency: String,
    }

    fn patched(patch: &Value) -> Result<Value> {
        let price = Price { amount: 1, currency: "EUR".into() };
        let product = Product { name: "Awl".into(), active: true, price, note: None, size: None };
        let patch = patch.as_object().unwrap().clone();
        let patched = MergePatch { patch, of: PhantomData }.applied(&product)?;
        Ok(serde_json::to_value(patched)?)
    }

    #[test]
    fn a_patch_changes_the_fields_that_it_has() {
        let awl = |name, active, amount| json!({"name": name, "active": active, "price": {"amount": amount, "currency": "EUR"}});
        for (patch, result) in [
            (json!({}), awl("Awl", true, 1)),
            (json!({"name": "Needle"}), awl("Needle", true, 1)),
            (json!({"active": null}), awl("Awl", false, 1)),
            (json!({"note": null}), awl("Awl", true, 1)),
            (json!({"price": {"amount": 2}}), awl("Awl", true, 2)),
            (json!({"size": null}), awl("Awl", true, 1)),
        ] {
            assert_eq!(patched(&patch).unwrap(), result);
        }
    }

    #[test]
    fn a_result_that_is_not_valid_names_the_field() {
        for (patch, field) in [
            (json!({"name": null}), "name"),
            (json!({"price": {"amount": -1}}), "price.amount"),
            (json!({"price": {"currency": null}}), "price.currency"),
            (json!({"colour": "red"}), "colour"),
            (json!({"colour": null}), "colour"),
            (json!({"price": {"vat": null}}), "price.vat"),
            (json!({"price": 1}), "price"),
            (json!({"size": {"vat": null}}), "size.vat"),
        ] {
            let Err(Error::Problem(problem)) = patched(&patch) else { panic!("{patch}") };
            assert_eq!(problem.status(), 422, "{patch}");
            let problem = serde_json::to_value(problem).unwrap();
            assert_eq!(problem["errors"][0]["field"], field, "{patch}");
        }
    }
}
