//! Named resources (ISO 32000-1, 7.8.3), and whether a content stream has them of its own.

use super::Graphics;
use cos::{Dict, Name, Object, Page};

/// The resources of a content stream.
#[derive(Clone)]
pub(super) struct Resources {
    /// Those of the stream itself, if it is not a page's.
    own: Option<Dict>,
    /// Those of the page that it is drawn on.
    page: Dict,
    /// Whether the page has them from its parent in the page tree.
    inherited: bool,
}

impl Resources {
    pub(super) fn of_page(graphics: &Graphics<'_>, page: &Page) -> Self {
        let own = page.dict.get("Resources").map(|object| graphics.resolve(object));
        let (found, inherited) = match own.as_ref().and_then(Object::as_dict) {
            Some(dict) => (dict.clone(), false),
            None => (graphics.dict(&page.inherited, "Resources").unwrap_or_default(), true),
        };
        Self { own: None, page: found, inherited }
    }

    /// The resources of a form, pattern, glyph or appearance on the same page.
    pub(super) fn within(&self, graphics: &Graphics<'_>, dict: &Dict) -> Self {
        let own = graphics.dict(dict, "Resources").unwrap_or_default();
        Self { own: Some(own), ..self.clone() }
    }

    /// Those of a stream without any: what a Type 3 font gives its glyphs.
    pub(super) fn with(&self, own: Option<Dict>) -> Self {
        Self { own: own.or_else(|| Some(Dict::default())), ..self.clone() }
    }

    /// The dictionary that default colour spaces are looked up in.
    pub(super) fn nearest(&self) -> &Dict {
        self.own.as_ref().unwrap_or(&self.page)
    }

    /// What tells the page's resources from others, if a stream without any falls back on them.
    pub(super) fn fallback_identity(&self) -> Option<usize> {
        let own = self.own.as_ref().is_some_and(|own| !own.is_empty());
        (!own).then(|| self.page.identity())
    }

    /// What tells these resources from others while they live.
    pub(super) fn identity(&self) -> (usize, usize) {
        (self.own.as_ref().map_or(0, Dict::identity), self.page.identity())
    }

    /// The resource `name` of a category, unresolved, and the dictionary it is in.
    ///
    /// Holds the stream to 6.2.2-2 of the later parts: a stream has its resources itself, neither from
    /// the page nor, for a page, from its parent.
    pub(super) fn find(
        &self,
        graphics: &Graphics<'_>,
        category: &str,
        name: &str,
    ) -> Option<(Dict, Object)> {
        let entry = |dict: &Dict| {
            let category = graphics.dict(dict, category)?;
            let object = category.get(name)?.clone();
            Some((category, object))
        };
        if let Some(own) = &self.own
            && let Some(found) = entry(own)
        {
            return Some(found);
        }
        let found = entry(&self.page)?;
        let drawn_with = category != "Properties";
        if drawn_with && (self.own.is_some() || self.inherited) && !graphics.part_1 {
            graphics.fail(("6.2.2", 2), None, || {
                format!("{category} {name} is not among the resources of the stream that uses it")
            });
        }
        Some(found)
    }
}

impl Graphics<'_> {
    /// 6.2.2-3 (part 4): resources define whatever a content stream names.
    pub(super) fn undefined(&self, category: &str, name: &Name) {
        if self.is_part_4() {
            self.fail_named(("6.2.2", 3), None, || {
                format!("no resources define {category} {name}")
            });
        }
    }
}
