//! Text, and the replacement text of marked content (ISO 32000-1, 14.9.4).

use super::{Graphics, font::Shown, walk::Content};
use crate::tagging;
use cos::{Dict, Object, Str};
use std::collections::{HashMap, HashSet};

/// Maximum number of nodes of the parent tree.
const NODES: usize = 200_000;

impl Content<'_, '_> {
    /// Checks the font, the glyphs of `strings`, and their colours.
    pub(super) fn show_text(&mut self, strings: &[Str]) {
        let (fill, stroke) = (self.state.fills_text(), self.state.strokes_text());
        if self.state.text_mode != 3 {
            self.use_paint(fill, stroke);
        }
        let Some(font) = self.state.font.clone() else { return };
        let shown =
            Shown { rendered: self.state.text_mode != 3, replaced: self.marked.contains(&true) };
        for string in strings {
            font.show(self.graphics, string.as_bytes(), shown);
        }
        if strings.is_empty() {
            font.show(self.graphics, b"", shown);
        }
        if font.is_type_3() {
            let (resources, state) = (&self.resources, &self.state);
            let codes: HashSet<u8> = strings.iter().flat_map(Str::as_bytes).copied().collect();
            let transparent =
                self.graphics.glyphs_of_type_3(&font, &codes, resources, state, self.depth + 1);
            self.transparent |= transparent;
        }
    }
}

impl Graphics<'_> {
    /// 6.2.10.8-1 (part 4): replacement text has no private characters.
    pub(super) fn no_private_text(&self, properties: &Dict) {
        if tagging::has_private(&self.get(properties, "ActualText")) {
            self.broken(tagging::ACTUAL_TEXT, &"marked content with a private /ActualText");
        }
    }

    /// Whether marked content with these properties has replacement text: its own, or that of its
    /// structure element or of a parent element.
    pub(super) fn is_replaced(&self, properties: &Dict, structure: Option<i64>) -> bool {
        if self.get(properties, "ActualText").as_string().is_some() {
            return true;
        }
        let Some(id) = self.get(properties, "MCID").as_i64() else { return false };
        let element = structure
            .and_then(|key| self.structure.get(&key))
            .map(|parents| self.resolve(parents))
            .and_then(|parents| {
                parents.as_array()?.get(usize::try_from(id).ok()?).map(|item| self.resolve(item))
            });
        let mut element = element.unwrap_or_default();
        for _ in 0..100 {
            let Some(dict) = element.as_dict().cloned() else { return false };
            if self.get(&dict, "ActualText").as_string().is_some() {
                return true;
            }
            element = self.get(&dict, "P");
        }
        false
    }

    /// The number tree that maps content to structure elements, as one map.
    pub(super) fn parent_tree(&self, root: &Dict) -> HashMap<i64, Object> {
        let mut found = HashMap::new();
        let tree = self.dict(root, "StructTreeRoot").map(|tree| self.get(&tree, "ParentTree"));
        let mut open = vec![tree.unwrap_or_default()];
        let mut seen = HashSet::new();
        while let Some(node) = open.pop() {
            let Some(dict) = self.resolve(&node).as_dict().cloned() else { continue };
            if node.as_ref().is_some_and(|id| !seen.insert(id)) || found.len() > NODES {
                continue;
            }
            if let Object::Array(numbers) = self.get(&dict, "Nums") {
                for pair in numbers.chunks_exact(2) {
                    if let Some(key) = self.resolve(&pair[0]).as_i64() {
                        found.insert(key, pair[1].clone());
                    }
                }
            }
            if let Object::Array(kids) = self.get(&dict, "Kids")
                && open.len() < NODES
            {
                open.extend(kids.iter().cloned());
            }
        }
        found
    }
}
