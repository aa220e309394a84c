//! Hostile and odd PDFs, written on the fly, for tests of what reads PDFs.
//!
//! Each case is one attack, or one thing that a policy may want to know of. A case is small in the
//! file, whatever it inflates to: the whole set is some 50 MB and takes seconds to make. Every case
//! comes out the same each time.
//!
//! | module | what its cases attack |
//! | --- | --- |
//! | [`ends`] | what stands before the header and after the end; what is cut off |
//! | [`xref`] | the cross-references: loops, giants, two truths in one file |
//! | [`objects`] | nesting, references, object streams, huge tokens |
//! | [`pages`] | the page tree |
//! | [`filters`] | what inflates: bombs, chains, predictors, image codecs |
//! | [`drawing`] | what runs: forms, patterns, glyphs, operators |
//! | [`resources`] | fonts, CMaps, functions, colour spaces, metadata |
//! | [`encryption`] | passwords and security handlers |
//! | [`flags`] | nothing: scripts, launches, files and the like, plain and hidden |

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

/// A file and what it does.
#[derive(Clone, Debug)]
pub struct Case {
    /// A name that is unique in the set, in snake case.
    pub name: String,
    /// The attack in a sentence.
    pub what: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Makes a case.
pub type Make = fn() -> Case;

/// Every case; some 50 MB.
#[must_use]
pub fn all() -> Vec<Case> {
    iter().collect()
}

/// Every case, each made when its turn comes.
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

    /// The set is lean, and no name is there twice.
    #[test]
    fn names_are_unique_and_files_small() {
        let mut names = HashSet::new();
        let mut total = 0;
        for case in super::iter() {
            assert!(case.bytes.len() < 8 << 20, "{} has {} bytes", case.name, case.bytes.len());
            assert!(!case.what.is_empty(), "{}", case.name);
            total += case.bytes.len();
            assert!(names.insert(case.name.clone()), "{} is there twice", case.name);
        }
        assert!(names.len() > 150, "{}", names.len());
        assert!(total < 48 << 20, "{total}");
    }

    /// Every case comes out the same each time.
    #[test]
    fn cases_are_reproducible() {
        for (first, second) in super::iter().zip(super::iter()) {
            assert!(first.bytes == second.bytes, "{}", first.name);
        }
    }
}
