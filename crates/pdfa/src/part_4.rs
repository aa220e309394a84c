//! The names in part 4 (ISO 19005-4:2020) of the rules of parts 2 and 3, which are in other clauses
//! there. Rules that only part 4 has are named where they are checked, with [`Rule::four`].
//!
//! [`Rule::four`]: crate::checker::Rule::four

/// Clause and test.
type Name = (&'static str, u16);

/// Clauses of parts 2 and 3 whose tests have the same numbers in part 4, and the clause there.
const CLAUSES: [(&str, &str); 37] = [
    // File structure.
    ("6.1.2", "6.1.2"),
    ("6.1.3", "6.1.3"),
    ("6.1.6", "6.1.5"),
    ("6.1.7.2", "6.1.6.2"),
    ("6.1.8", "6.1.7"),
    ("6.1.9", "6.1.8"),
    ("6.1.10", "6.1.9"),
    // Content and colour.
    ("6.2.2", "6.2.2"),
    ("6.2.3", "6.2.3"),
    ("6.2.4.2", "6.2.4.2"),
    ("6.2.4.3", "6.2.4.3"),
    ("6.2.4.4", "6.2.4.4"),
    ("6.2.5", "6.2.5"),
    ("6.2.6", "6.2.4.6"),
    ("6.2.8", "6.2.7.1"),
    ("6.2.8.3", "6.2.7.3"),
    ("6.2.10", "6.2.9"),
    // Fonts.
    ("6.2.11.2", "6.2.10.2"),
    ("6.2.11.3.1", "6.2.10.3.1"),
    ("6.2.11.3.2", "6.2.10.3.2"),
    ("6.2.11.3.3", "6.2.10.3.3"),
    ("6.2.11.4.1", "6.2.10.4.1"),
    ("6.2.11.5", "6.2.10.5"),
    ("6.2.11.6", "6.2.10.6"),
    ("6.2.11.8", "6.2.10.9"),
    // Annotations, forms, actions.
    ("6.3.1", "6.3.1"),
    ("6.3.2", "6.3.2"),
    ("6.3.3", "6.3.3"),
    ("6.4.2", "6.4.2"),
    ("6.5.1", "6.6.1"),
    // Metadata.
    ("6.6.2.1", "6.7.2.1"),
    ("6.6.4", "6.7.3"),
    // Contents of the document.
    ("6.1.12", "6.1.11"),
    ("6.8", "6.9"),
    ("6.9", "6.10"),
    ("6.10", "6.11"),
    ("6.11", "6.12"),
];

/// The name in part 4 of a rule of parts 2 and 3; `None` if part 4 does not have it.
pub(crate) fn name((clause, test): Name) -> Option<Name> {
    match (clause, test) {
        ("6.1.4", 2) => Some(("6.1.4", 1)),
        ("6.1.7.1", 1) => Some(("6.1.6.1", 1)),
        ("6.1.7.1", 3) => Some(("6.1.6.1", 2)),
        ("6.2.9", 1) => Some(("6.2.8.1", 1)),
        ("6.2.9", 2) => Some(("6.2.8.2", 1)),
        ("6.2.11.7.2", 2) => Some(("6.2.10.7", 1)),
        ("6.4.1", 1) => Some(("6.4.1", 1)),
        ("6.4.1", 3) => Some(("6.4.1", 2)),
        ("6.8", 3) => Some(("6.9", 4)),
        ("6.8", 5) => Some(("6.9", 3)),
        // Part 4 has no rules on digests, prefixes of other properties, `/AF` and `/AS`.
        ("6.1.12", 2) | ("6.6.4", 5..) | ("6.8" | "6.9", 4) => None,
        _ => {
            let (_, clause) = CLAUSES.iter().find(|(later, _)| *later == clause)?;
            Some((clause, test))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn rules_move_to_other_clauses_and_numbers() {
        let cases = [
            (("6.1.2", 1), Some(("6.1.2", 1))),
            (("6.1.4", 2), Some(("6.1.4", 1))),
            (("6.1.7.1", 3), Some(("6.1.6.1", 2))),
            (("6.2.6", 1), Some(("6.2.4.6", 1))),
            (("6.2.8.3", 5), Some(("6.2.7.3", 5))),
            (("6.2.9", 2), Some(("6.2.8.2", 1))),
            (("6.2.11.8", 1), Some(("6.2.10.9", 1))),
            (("6.6.4", 4), Some(("6.7.3", 4))),
            (("6.8", 1), Some(("6.9", 1))),
            (("6.8", 3), Some(("6.9", 4))),
            (("6.9", 3), Some(("6.10", 3))),
            (("6.11", 1), Some(("6.12", 1))),
        ];
        for (later, four) in cases {
            assert_eq!(name(later), four, "{later:?}");
        }
    }

    #[test]
    fn rules_that_part_4_omits_have_no_name() {
        for later in [
            ("6.1.7.1", 2),
            ("6.1.12", 2),
            ("6.1.13", 1),
            ("6.2.9", 3),
            ("6.2.11.4.2", 1),
            ("6.2.11.7.2", 1),
            ("6.2.11.7.3", 1),
            ("6.4.1", 2),
            ("6.4.3", 1),
            ("6.5.2", 1),
            ("6.6.2.3.1", 1),
            ("6.6.4", 7),
            ("6.7.3.3", 1),
            ("6.8", 4),
            ("6.9", 4),
        ] {
            assert_eq!(name(later), None, "{later:?}");
        }
    }
}
