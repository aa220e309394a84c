//! Where the objects are: cross-reference tables and streams (ISO 32000-1, 7.5.4 and 7.5.8).

use std::collections::{HashMap, hash_map::Entry as Slot};

use crate::object::{Dict, Ref};

/// Where one object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nowhere: the number is free.
    Free,
    /// In the body.
    At {
        /// Bytes from the start of the file.
        offset: u64,
        /// Its generation.
        generation: u16,
    },
    /// In an object stream.
    In {
        /// The stream's object number.
        stream: u32,
        /// Which of its objects.
        index: u32,
    },
}

/// The cross-reference of a file, all sections together.
#[derive(Debug, Default)]
pub struct Xref {
    pub(crate) entries: HashMap<u32, Entry>,
    pub(crate) sections: Vec<Section>,
}

/// One section of the cross-reference, the newest first.
#[derive(Debug, Clone)]
pub struct Section {
    /// Where it starts (`xref`, or the number of the stream object), in bytes from the file's start.
    pub offset: u64,
    /// Its trailer dictionary, or the dictionary of its stream.
    pub trailer: Dict,
    /// What it is.
    pub kind: SectionKind,
}

/// What a section is.
#[derive(Debug, Clone)]
pub enum SectionKind {
    /// A table after `xref`.
    Table(Vec<Subsection>),
    /// A cross-reference stream.
    Stream(Ref),
    /// The cross-reference stream that a table's `/XRefStm` names.
    Hybrid(Ref),
}

/// A subsection of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subsection {
    /// Where its header starts, in bytes from the start of the file.
    pub header: u64,
    /// After the header's second number.
    pub header_end: u64,
    /// The number of its first object.
    pub first: u32,
    /// How many entries it has.
    pub count: u32,
}

impl Xref {
    /// Where object `number` is.
    #[must_use]
    pub fn entry(&self, number: u32) -> Option<Entry> {
        self.entries.get(&number).copied()
    }

    /// The numbers of all objects that are somewhere, in order.
    #[must_use]
    pub fn numbers(&self) -> Vec<u32> {
        let used = self.entries.iter().filter(|(_, entry)| **entry != Entry::Free);
        let mut numbers: Vec<_> = used.map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// References to all objects that are somewhere, in the order of their numbers.
    #[must_use]
    pub fn refs(&self) -> Vec<Ref> {
        let generation = |number| match self.entry(number) {
            Some(Entry::At { generation, .. }) => generation,
            _ => 0,
        };
        self.numbers()
            .into_iter()
            .map(|number| Ref { number, generation: generation(number) })
            .collect()
    }

    /// The sections: first the one that the end of the file names, then what `/Prev` leads to.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Adds an entry, unless a newer section has one for `number`.
    pub(crate) fn add(&mut self, number: u32, entry: Entry) {
        if let Slot::Vacant(slot) = self.entries.entry(number) {
            slot.insert(entry);
        }
    }
}
