//! The page tree, read on demand (ISO 32000-1, 7.7.3).

use std::collections::HashSet;

use cos::{Dict, File, Name, Object, Page, Source};

use crate::limits::Limits;
use crate::refusal::{Budget, Refusal, lenient};

const INHERITABLE: [&str; 4] = ["Resources", "MediaBox", "CropBox", "Rotate"];

/// Visits the pages in order. A node that occurs twice counts once.
pub(crate) struct Pages<'a, S> {
    file: &'a File<S>,
    limits: &'a Limits,
    /// Nodes still to visit; the last one is next.
    open: Vec<Node>,
    seen: HashSet<u32>,
    visited: usize,
}

struct Node {
    object: Object,
    inherited: Dict,
    depth: usize,
}

impl<'a, S: Source> Pages<'a, S> {
    pub(crate) fn new(file: &'a File<S>, limits: &'a Limits) -> Result<Self, Refusal> {
        let root = file.root()?;
        let object = root.get("Pages").cloned().unwrap_or_default();
        let top = Node { object, inherited: Dict::default(), depth: 0 };
        Ok(Self { file, limits, open: vec![top], seen: HashSet::new(), visited: 0 })
    }

    /// Number of pages: `/Count` of the root if the file has enough objects for it, which needs no
    /// walk; else the pages are counted.
    pub(crate) fn count(file: &'a File<S>, limits: &'a Limits) -> Result<usize, Refusal> {
        let root = file.root()?;
        let top = lenient(file.get(&root, "Pages"))?;
        let declared = match top.as_dict() {
            Some(top) => lenient(file.get(top, "Count"))?.as_i64(),
            None => None,
        };
        let objects = file.xref().numbers().len();
        let count = match declared.and_then(|declared| usize::try_from(declared).ok()) {
            Some(declared) if (1..=objects).contains(&declared) => declared,
            _ => {
                let mut pages = Self::new(file, limits)?;
                let mut count = 0;
                while pages.next()?.is_some() {
                    count += 1;
                }
                count
            }
        };
        if count > limits.pages { Err(Refusal::Limit(Budget::Pages)) } else { Ok(count) }
    }

    /// The next page.
    pub(crate) fn next(&mut self) -> Result<Option<Page>, Refusal> {
        while let Some(Node { object, inherited, depth }) = self.open.pop() {
            self.visited += 1;
            if self.visited > self.limits.pages.saturating_mul(2) {
                return Err(Refusal::Limit(Budget::Pages));
            }
            if depth > self.limits.objects.nesting {
                return Err(Refusal::Limit(Budget::Nesting));
            }
            let id = object.as_ref();
            if id.is_some_and(|id| !self.seen.insert(id.number)) {
                continue;
            }
            let Object::Dict(dict) = lenient(self.file.resolve(&object))? else { continue };
            match lenient(self.file.get(&dict, "Kids"))? {
                Object::Array(kids) if !dict.is("Type", "Page") => {
                    if self.open.len() + kids.len() > self.limits.pages.saturating_mul(2) {
                        return Err(Refusal::Limit(Budget::Pages));
                    }
                    let inherited = inherit(&inherited, &dict);
                    self.open.extend(kids.iter().rev().map(|kid| Node {
                        object: kid.clone(),
                        inherited: inherited.clone(),
                        depth: depth + 1,
                    }));
                }
                _ => return Ok(Some(Page { id, dict, inherited })),
            }
        }
        Ok(None)
    }

    /// Skips `count` pages.
    pub(crate) fn skip(&mut self, mut count: usize) -> Result<(), Refusal> {
        while count > 0 {
            count -= 1;
            if self.next()?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

fn inherit(inherited: &Dict, node: &Dict) -> Dict {
    let entries = INHERITABLE.into_iter().filter_map(|key| {
        let value = node.get(key).or_else(|| inherited.get(key))?;
        Some((Name::new(key), value.clone()))
    });
    Dict::from(entries.collect::<Vec<_>>())
}
