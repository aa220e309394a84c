//! The policy of a tenant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Feature, Findings};

/// The action for a file with a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Accept the file without a flag.
    Allow,
    /// Accept the file with a flag.
    Flag,
    /// Refuse the file.
    Refuse,
}

/// The policy of a tenant. [`Feature::default_action`] applies to features that it does not
/// mention.
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
    /// Actions that differ from the default.
    pub features: BTreeMap<Feature, Action>,
    /// Maximum number of pages.
    pub max_pages: Option<usize>,
    /// Maximum size of the file in bytes.
    pub max_bytes: Option<u64>,
    /// Maximum inflated bytes of all streams, up to
    /// [`Limits::MAX_TOTAL_BYTES`](crate::Limits::MAX_TOTAL_BYTES). See
    /// [`Limits::of`](crate::Limits::of) for the default.
    pub max_inflated_bytes: Option<u64>,
}

/// The result of a policy for a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The file is accepted.
    Accepted {
        /// The flagged features, in the order of [`Feature::ALL`].
        flags: Vec<Feature>,
    },
    /// The file is refused.
    Refused {
        /// All reasons.
        reasons: Vec<Reason>,
    },
}

/// The reason why a policy refuses a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The file has a feature.
    Feature(Feature),
    /// The file has more pages than [`Policy::max_pages`]; the value is their number.
    Pages(usize),
    /// The file has more bytes than [`Policy::max_bytes`]; the value is their number.
    Bytes(u64),
}

impl Policy {
    /// The action for a file with `feature`.
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
