//! The page tree (ISO 32000-1, 7.7.3).

use std::collections::HashSet;

use crate::{
    Error, File, Limit, Source,
    object::{Dict, Object, Ref},
};

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its object; `None` if the dictionary is directly in the parent's `/Kids`.
    pub id: Option<Ref>,
    /// Its own dictionary.
    pub dict: Dict,
    /// The inherited entries that the page does not have itself: `/Resources`, `/MediaBox`,
    /// `/CropBox` and `/Rotate` of its ancestors.
    pub inherited: Dict,
}

const INHERITABLE: [&str; 4] = ["Resources", "MediaBox", "CropBox", "Rotate"];

impl Page {
    /// The value of `key`, from the page itself or inherited, unresolved.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Object> {
        self.dict.get(key).or_else(|| self.inherited.get(key))
    }
}

impl<S: Source> File<S> {
    /// The pages in order. A node that occurs twice counts once; a kid that is not a node is
    /// skipped.
    ///
    /// # Errors
    /// [`Error::Limit`] for too many pages or too deep a tree, and errors from reading the nodes.
    pub fn pages(&self) -> Result<Vec<Page>, Error> {
        let root = self.root()?;
        let mut pages = Vec::new();
        let mut seen = HashSet::new();
        let mut visited = 0_usize;
        let top = root.get("Pages").cloned().unwrap_or_default();
        // Nodes still to visit; the last one is next.
        let mut open = vec![(top, Dict::default(), 0_usize)];
        while let Some((node, inherited, depth)) = open.pop() {
            visited += 1;
            if visited > self.limits.pages.saturating_mul(2) || pages.len() >= self.limits.pages {
                return Err(Error::Limit(Limit::Pages));
            }
            if depth > self.limits.nesting {
                return Err(Error::Limit(Limit::Nesting));
            }
            let id = node.as_ref();
            if id.is_some_and(|id| !seen.insert(id.number)) {
                continue;
            }
            let dict = match self.resolve(&node) {
                Ok(Object::Dict(dict)) => dict,
                Err(error @ (Error::Io(_) | Error::Limit(_))) => return Err(error),
                _ => continue,
            };
            match self.get(&dict, "Kids")? {
                Object::Array(kids) if !dict.is("Type", "Page") => {
                    let inherited = inherit(&inherited, &dict);
                    let kids = kids.iter().rev().take(self.limits.pages);
                    open.extend(kids.map(|kid| (kid.clone(), inherited.clone(), depth + 1)));
                    if open.len() > self.limits.pages.saturating_mul(2) {
                        return Err(Error::Limit(Limit::Pages));
                    }
                }
                _ => pages.push(Page { id, dict, inherited }),
            }
        }
        Ok(pages)
    }
}

fn inherit(inherited: &Dict, node: &Dict) -> Dict {
    let mut entries = Vec::new();
    for key in INHERITABLE {
        if let Some(value) = node.get(key).or_else(|| inherited.get(key)) {
            entries.push((crate::Name::new(key), value.clone()));
        }
    }
    Dict::from(entries)
}
