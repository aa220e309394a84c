//! Hostile and unusual PDFs, generated on demand, to test programs that read PDFs.
//!
//! Each case is one attack, or one feature that a policy may refuse. A case is a small file,
//! whatever its inflated size: the whole set is less than 48 MiB and takes seconds to make. Every
//! case has the same bytes each time.
//!
//! | module | target of its cases |
//! | --- | --- |
//! | [`ends`] | the bytes before the header and after the end; files that are cut off |
//! | [`xref`] | the cross-reference: loops, huge tables, two versions in one file |
//! | [`objects`] | nesting, references, object streams, huge tokens |
//! | [`pages`] | the page tree |
//! | [`filters`] | filters: bombs, chains, predictors, image codecs |
//! | [`drawing`] | content: forms, patterns, glyphs, operators |
//! | [`resources`] | fonts, CMaps, functions, colour spaces, metadata |
//! | [`encryption`] | passwords and security handlers |
//! | [`flags`] | no attack: scripts, launches, files and so on, plain and hidden |

pub mod drawing;
pub mod encryption;
pub mod ends;
pub mod filters;
pub mod flags;
pub mod objects;
pub mod pages;
pub mod resources;
pub mod xref;

mod build;
mod deflate;

/// A file and its attack.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name in snake case, unique in the set.
    pub name: String,
    /// The attack in a sentence.
    pub what: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Makes a case.
pub type Make = fn() -> Case;

/// Every case; less than 48 MiB.
#[must_use]
pub fn all() -> Vec<Case> {
    iter().collect()
}

/// Every case, each made on demand.
pub fn iter() -> impl Iterator<Item = Case> {
    let makes = [
        ends::ALL,
        xref::ALL,
        objects::ALL,
        pages::ALL,
        filters::ALL,
        drawing::ALL,
        resources::ALL,
        encryption::ALL,
    ];
    makes.into_iter().flatten().map(|make| make()).chain(flags::all())
}

/// Declares the cases of a module: functions that return [`Case`], and the list `ALL` of them.
macro_rules! cases {
    ($($(#[doc = $what:literal])+ fn $name:ident() $body:block)+) => {
        /// Every case of this module.
        pub const ALL: &[crate::Make] = &[$($name),+];
        $(
            $(#[doc = $what])+
            #[must_use]
            pub fn $name() -> crate::Case {
                let what = concat!($($what),+).trim_ascii();
                crate::Case { name: stringify!($name).to_owned(), what, bytes: $body }
            }
        )+
    };
}
use cases;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    /// The set is small, and all names are different.
    #[test]
    fn names_are_unique_and_files_small() {
        let mut names = HashSet::new();
        let mut total = 0;
        for case in super::iter() {
            assert!(case.bytes.len() < 8 << 20, "{} has {} bytes", case.name, case.bytes.len());
            assert!(!case.what.is_empty(), "{}", case.name);
            total += case.bytes.len();
            assert!(names.insert(case.name.clone()), "{} occurs twice", case.name);
        }
        assert!(names.len() > 150, "{}", names.len());
        assert!(total < 48 << 20, "{total}");
    }

    /// Every case has the same bytes each time.
    #[test]
    fn cases_are_reproducible() {
        for (first, second) in super::iter().zip(super::iter()) {
            assert!(first.bytes == second.bytes, "{}", first.name);
        }
    }
}
