//! What a tenant accepts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Feature, Findings};

/// What happens to a file with a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is accepted, and nothing is said.
    Allow,
    /// It is accepted, and the feature is told.
    Flag,
    /// It is refused.
    Refuse,
}

/// What a tenant accepts: [`Feature::default_action`] where it says nothing else.
///
/// ```
/// use pdf_inspect::{Action, Feature, Policy};
///
/// let policy: Policy = serde_json::from_str(
///     r#"{ "features": { "java_script": "refuse", "xfa_form": "allow" }, "max_pages": 50 }"#,
/// )
/// .unwrap();
/// assert_eq!(policy.action(Feature::JavaScript), Action::Refuse);
/// assert_eq!(policy.action(Feature::Launch), Action::Refuse);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Actions that are not the default ones.
    pub features: BTreeMap<Feature, Action>,
    /// The most pages.
    pub max_pages: Option<usize>,
    /// The most bytes of the file.
    pub max_bytes: Option<u64>,
    /// The most bytes that all streams together may inflate to, up to
    /// [`Limits::MAX_TOTAL_BYTES`](crate::Limits::MAX_TOTAL_BYTES); see
    /// [`Limits::of`](crate::Limits::of) for the default.
    pub max_inflated_bytes: Option<u64>,
}

/// What a policy says of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It is accepted.
    Accepted {
        /// What is to be told, in the order of [`Feature::ALL`].
        flags: Vec<Feature>,
    },
    /// It is refused.
    Refused {
        /// Every reason.
        reasons: Vec<Reason>,
    },
}

/// Why a policy refuses a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It has a feature.
    Feature(Feature),
    /// It has more than [`Policy::max_pages`].
    Pages(usize),
    /// It has more than [`Policy::max_bytes`].
    Bytes(u64),
}

impl Policy {
    /// What happens to a file with a feature.
    #[must_use]
    pub fn action(&self, feature: Feature) -> Action {
        self.features.get(&feature).copied().unwrap_or(feature.default_action())
    }

    /// The verdict on a file.
    #[must_use]
    pub fn judge(&self, findings: &Findings) -> Verdict {
        let there = |action| {
            let features = findings.features.keys().copied();
            features.filter(move |feature| self.action(*feature) == action)
        };
        let mut reasons: Vec<_> = there(Action::Refuse).map(Reason::Feature).collect();
        if self.max_pages.is_some_and(|most| findings.pages > most) {
            reasons.push(Reason::Pages(findings.pages));
        }
        if self.max_bytes.is_some_and(|most| findings.bytes > most) {
            reasons.push(Reason::Bytes(findings.bytes));
        }
        if reasons.is_empty() {
            Verdict::Accepted { flags: there(Action::Flag).collect() }
        } else {
            Verdict::Refused { reasons }
        }
    }
}
