//! Permissions: clause 6.1.12 of parts 2 and 3, 6.1.11 of part 4.

use cos::Source;

use super::signatures::signatures;
use crate::checker::{Checker, Rule};

/// 6.1.12-t01: the permissions dictionary has only `/UR3` and `/DocMDP`. 6.1.12-t02: if it has
/// `/DocMDP`, signature references do not have `/DigestLocation`, `/DigestMethod` or
/// `/DigestValue`.
pub(super) fn check<S: Source>(checker: &Checker<'_, S>) {
    const KEYS: Rule = Rule::later("6.1.12", 1);
    const DIGEST: Rule = Rule::later("6.1.12", 2);
    let root = checker.root();
    let Some(permissions) = checker.dict(&root, "Perms") else { return };
    for (key, _) in &permissions {
        if *key != "UR3" && *key != "DocMDP" {
            checker.broken(KEYS, None, format_args!("the permissions dictionary has {key:?}"));
        }
    }
    if !permissions.contains("DocMDP") {
        return;
    }
    let in_permissions = permissions.iter().filter_map(|(_, value)| {
        checker.resolve(value).as_dict().cloned().map(|dict| (dict, value.as_ref()))
    });
    for (signature, id) in signatures(checker).into_iter().chain(in_permissions) {
        for reference in checker.get(&signature, "Reference").as_array().into_iter().flatten() {
            let reference = checker.resolve(reference);
            let Some(reference) = reference.as_dict() else { continue };
            for key in ["DigestLocation", "DigestMethod", "DigestValue"] {
                if reference.contains(key) {
                    checker.broken(DIGEST, id, format_args!("a signature reference with /{key}"));
                }
            }
        }
    }
}
