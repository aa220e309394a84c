//! The page tree (ISO 32000-1, 7.7.3), from its nodes and not from `/Count`.

use std::collections::{HashMap, HashSet};

use cos::{Dict, File, Object, Ref, Source};

use crate::{Budget, Error, Looped, meter::Meter, refusal::readable};

/// The parts of a page that drawing needs.
pub(crate) struct Page {
    pub(crate) dict: Dict,
    /// `/Resources`, its own or inherited, unresolved.
    pub(crate) resources: Object,
}

/// A node of the page tree whose kids are being visited.
struct Node {
    id: Option<Ref>,
    kids: Vec<Object>,
    resources: Object,
}

/// The pages in order. A page that occurs twice counts once.
pub(crate) fn walk<S: Source>(file: &File<S>, meter: &mut Meter) -> Result<Vec<Page>, Error> {
    let root = file.root()?;
    let top = root.get("Pages").cloned().unwrap_or_default();
    let mut walk = Walk { file, meter, path: Vec::new(), seen: HashSet::new(), list: Vec::new() };
    walk.enter(&top, &Object::Null)?;
    while let Some(node) = walk.path.last_mut() {
        match node.kids.pop() {
            Some(kid) => {
                let resources = node.resources.clone();
                walk.enter(&kid, &resources)?;
            }
            None => {
                walk.path.pop();
            }
        }
    }
    Ok(walk.list)
}

struct Walk<'a, S> {
    file: &'a File<S>,
    meter: &'a mut Meter,
    path: Vec<Node>,
    seen: HashSet<u32>,
    list: Vec<Page>,
}

impl<S: Source> Walk<'_, S> {
    /// Visits a kid: adds a page to the list, or a node to the path.
    fn enter(&mut self, kid: &Object, inherited: &Object) -> Result<(), Error> {
        self.meter.work(1)?;
        let id = kid.as_ref();
        if let Some(id) = id {
            let number = id.number;
            if self.path.iter().any(|node| node.id.is_some_and(|id| id.number == number)) {
                return Err(Error::looped(Looped::PageTree));
            }
            if !self.seen.insert(number) {
                return Ok(());
            }
        }
        let Some(Object::Dict(dict)) = readable(self.file.resolve(kid))? else { return Ok(()) };
        let resources = dict.get("Resources").cloned().unwrap_or_else(|| inherited.clone());
        let kids = readable(self.file.get(&dict, "Kids"))?;
        match kids {
            Some(Object::Array(kids)) if !dict.is("Type", "Page") => {
                if self.path.len() >= self.meter.limits.tree_depth {
                    return Err(Error::over(Budget::TreeDepth));
                }
                self.meter.work(kids.len() as u64)?;
                let kids = kids.iter().rev().cloned().collect();
                self.path.push(Node { id, kids, resources });
            }
            _ if dict.is("Type", "Pages") => {}
            _ => {
                if self.list.len() >= self.meter.limits.pages {
                    return Err(Error::over(Budget::Pages));
                }
                self.list.push(Page { dict, resources });
            }
        }
        Ok(())
    }
}

/// Numbers the resource dictionaries. The same object always has the same number, whichever page
/// refers to it.
#[derive(Default)]
pub(crate) struct Owners {
    direct: HashMap<usize, (u32, Dict)>,
}

/// The owner of a resource dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// An object, by its number.
    Object(u32),
    /// The dictionary with this number, which is not an object of its own.
    Direct(u32),
}

impl Owners {
    /// The owner of `resources`, which resolves to `dict`.
    pub(crate) fn of(&mut self, resources: &Object, dict: &Dict) -> Owner {
        if let Some(id) = resources.as_ref() {
            return Owner::Object(id.number);
        }
        let next = u32::try_from(self.direct.len()).unwrap_or(u32::MAX);
        // The map keeps the dictionary, so that no other dictionary gets its address.
        Owner::Direct(self.direct.entry(dict.identity()).or_insert((next, dict.clone())).0)
    }
}
