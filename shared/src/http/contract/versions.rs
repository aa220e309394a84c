//! Answers with several forms, of which the request's version chooses one.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, OneOf, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Required};

use super::Operation;
use crate::http::StatusCode;
use crate::http::version::{ApiVersion, Change};

/// The header of the version.
pub(super) const HEADER: &str = "Arsenal-Version";
/// The name of the header among the document's parameters.
const PARAMETER: &str = "ArsenalVersion";
/// The extension of a `oneOf`: for each form, the first version that has it, newest first.
const VERSIONS: &str = "x-versions";
/// The extension of the header: the day until which each version is served at least.
const SUNSETS: &str = "x-sunsets";

impl Operation {
    /// Before `change`, the answer of this status was a `T`. For several changes of one answer, the newest
    /// comes first.
    ///
    /// # Panics
    /// When there is no such answer of JSON.
    pub fn formerly<T: ToSchema>(mut self, change: &Change, status: StatusCode) -> Self {
        let former = self.schemas.add::<T>();
        let content = match self.openapi.responses.responses.get_mut(status.as_str()) {
            Some(RefOr::T(response)) => response.content.get_mut("application/json"),
            _ => None,
        };
        let Some(RefOr::T(content)) = content else { panic!("no answer of the status {status}") };
        let forms = match content.schema.take() {
            Some(RefOr::T(Schema::OneOf(forms))) if versions_of(&forms).is_some() => forms,
            Some(newest) => OneOf { items: vec![newest], ..OneOf::new() },
            None => panic!("no schema of the status {status}"),
        };
        content.schema = Some(Schema::OneOf(with(forms, change, former)).into());
        self.describe_change(change);
        self
    }

    fn describe_change(&mut self, change: &Change) {
        let until = change.sunset().map(|day| format!(" until {day} at least")).unwrap_or_default();
        self.add_to_description(&format!(
            "**Since version {}:** {} Clients of former versions get the former answer{until}.",
            change.since(),
            change.what(),
        ));
        let parameters = self.openapi.parameters.get_or_insert_default();
        let header = Ref::new(format!("#/components/parameters/{PARAMETER}"));
        if !parameters.contains(&RefOr::Ref(header.clone())) {
            parameters.push(RefOr::Ref(header));
            self.headers.extend(["Deprecation", "Link", "Sunset"]);
        }
    }
}

/// The forms, and the form that was the answer before `change`.
fn with(mut forms: OneOf, change: &Change, former: RefOr<Schema>) -> OneOf {
    let mut versions = versions_of(&forms).unwrap_or_default();
    versions.pop();
    versions.extend([change.since().to_string(), ApiVersion::OLDEST.to_string()]);
    forms.items.push(former);
    forms.description = Some("The form that `Arsenal-Version` names, newest first.".to_owned());
    forms.extensions = Some(Extensions::from_iter([(VERSIONS, versions)]));
    forms
}

fn versions_of(forms: &OneOf) -> Option<Vec<String>> {
    let versions = forms.extensions.as_ref()?.get(VERSIONS)?.as_array()?.iter();
    Some(versions.filter_map(|version| version.as_str().map(str::to_owned)).collect())
}

/// The document's parameters.
pub(super) fn parameters() -> BTreeMap<String, RefOr<Parameter>> {
    let sunsets = ApiVersion::SERVED.iter();
    let sunsets = sunsets.filter_map(|it| Some((it.to_string(), it.sunset()?.to_string().into())));
    let sunsets: serde_json::Map<_, _> = sunsets.collect();
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(ApiVersion::SERVED.map(|version| version.to_string())))
        .extensions(Some(Extensions::from_iter([(SUNSETS, sunsets)])));
    let mut parameter = Parameter::new(HEADER);
    parameter.parameter_in = ParameterIn::Header;
    parameter.required = Required::False;
    parameter.description = Some(format!(
        "The version of the API that the client is written for. Without it: {}.",
        ApiVersion::OLDEST
    ));
    parameter.schema = Some(RefOr::T(Schema::Object(schema.build())));
    BTreeMap::from([(PARAMETER.to_owned(), parameter.into())])
}
