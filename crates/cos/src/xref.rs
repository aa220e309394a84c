//! Positions of objects: cross-reference tables and streams (ISO 32000-1, 7.5.4 and 7.5.8).

use std::collections::{HashMap, hash_map::Entry as Slot};

use crate::object::{Dict, Ref};

/// Position of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The number is free.
    Free,
    /// In the body.
    At {
        /// Offset in bytes from the start of the file.
        offset: u64,
        /// Its generation.
        generation: u16,
    },
    /// In an object stream.
    In {
        /// The stream's object number.
        stream: u32,
        /// Index of the object in the stream.
        index: u32,
    },
}

/// The cross-reference of a file: all sections merged.
#[derive(Debug, Default)]
pub struct Xref {
    pub(crate) entries: HashMap<u32, Entry>,
    pub(crate) sections: Vec<Section>,
}

/// One section of the cross-reference.
#[derive(Debug, Clone)]
pub struct Section {
    /// Where it starts (`xref`, or the number of the stream object), in bytes from the file's start.
    pub offset: u64,
    /// Its trailer dictionary, or the dictionary of its stream.
    pub trailer: Dict,
    /// The kind of section.
    pub kind: SectionKind,
}

/// The kind of a section.
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
    /// Offset of its header, in bytes from the start of the file.
    pub header: u64,
    /// Offset after the second number of the header.
    pub header_end: u64,
    /// The number of its first object.
    pub first: u32,
    /// Number of entries.
    pub count: u32,
}

impl Xref {
    /// Position of object `number`.
    #[must_use]
    pub fn entry(&self, number: u32) -> Option<Entry> {
        self.entries.get(&number).copied()
    }

    /// The numbers of all objects in use, in ascending order.
    #[must_use]
    pub fn numbers(&self) -> Vec<u32> {
        let used = self.entries.iter().filter(|(_, entry)| **entry != Entry::Free);
        let mut numbers: Vec<_> = used.map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// References to all objects in use, in ascending order of their numbers.
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

    /// The sections: first the one that `startxref` points to, then those that `/Prev` points to.
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
