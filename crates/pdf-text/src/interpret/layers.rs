//! Optional content: the layers that are visible when the file is opened (ISO 32000-1, 8.11).

use std::collections::HashSet;

use cos::{Dict, File, Object, Source};

use crate::refusal::{Refusal, lenient};

/// The hidden layers.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    off: HashSet<u32>,
}

impl Layers {
    /// Reads the default configuration in the catalog.
    pub(crate) fn new<S: Source>(file: &File<S>) -> Result<Self, Refusal> {
        let root = lenient(file.root())?;
        let properties = lenient(file.get(&root, "OCProperties"))?;
        let Some(properties) = properties.as_dict() else { return Ok(Self::default()) };
        let default = lenient(file.get(properties, "D"))?;
        let default = default.as_dict().cloned().unwrap_or_default();
        let mut off = HashSet::new();
        if lenient(file.get(&default, "BaseState"))?.is_name("OFF") {
            off.extend(numbers(file, properties, "OCGs")?);
            for number in numbers(file, &default, "ON")? {
                off.remove(&number);
            }
        }
        off.extend(numbers(file, &default, "OFF")?);
        Ok(Self { off })
    }

    /// Whether content of a group, or of a membership dictionary, is visible.
    pub(crate) fn shows<S: Source>(
        &self,
        file: &File<S>,
        object: &Object,
    ) -> Result<bool, Refusal> {
        if self.off.is_empty() {
            return Ok(true);
        }
        if object.as_ref().is_some_and(|id| self.off.contains(&id.number)) {
            return Ok(false);
        }
        let Object::Dict(dict) = lenient(file.resolve(object))? else { return Ok(true) };
        if !lenient(file.get(&dict, "Type"))?.is_name("OCMD") {
            return Ok(true);
        }
        let groups = match dict.get("OCGs") {
            Some(Object::Ref(id)) if !lenient(file.object(*id))?.is_null() => {
                match lenient(file.object(*id))? {
                    Object::Array(_) => numbers(file, &dict, "OCGs")?,
                    _ => vec![id.number],
                }
            }
            _ => numbers(file, &dict, "OCGs")?,
        };
        if groups.is_empty() {
            return Ok(true);
        }
        let on = |number: &u32| !self.off.contains(number);
        let policy = lenient(file.get(&dict, "P"))?;
        Ok(match policy.as_name().map(cos::Name::as_bytes) {
            Some(b"AllOn") => groups.iter().all(on),
            Some(b"AnyOff") => !groups.iter().all(on),
            Some(b"AllOff") => !groups.iter().any(on),
            _ => groups.iter().any(on),
        })
    }
}

/// The objects that an array refers to.
fn numbers<S: Source>(file: &File<S>, dict: &Dict, key: &str) -> Result<Vec<u32>, Refusal> {
    let array = lenient(file.get(dict, key))?;
    let refs = array.as_array().into_iter().flatten().filter_map(Object::as_ref);
    Ok(refs.map(|id| id.number).collect())
}
