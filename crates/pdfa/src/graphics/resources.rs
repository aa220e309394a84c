//! Named resources (ISO 32000-1, 7.8.3), and whether they belong to the content stream itself.

use super::Graphics;
use cos::{Dict, Name, Object, Page};

/// The resources of a content stream.
#[derive(Clone)]
pub(super) struct Resources {
    /// The resources of the stream itself; `None` for a page.
    own: Option<Dict>,
    /// The resources of the page on which the stream is drawn.
    page: Dict,
    /// Whether the page inherits them in the page tree.
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

    /// The resources that a Type 3 font gives to its glyphs.
    pub(super) fn with(&self, own: Option<Dict>) -> Self {
        Self { own: own.or_else(|| Some(Dict::default())), ..self.clone() }
    }

    /// The dictionary in which default colour spaces are looked up.
    pub(super) fn nearest(&self) -> &Dict {
        self.own.as_ref().unwrap_or(&self.page)
    }

    /// The identity of the page's resources, if a stream without resources uses them.
    pub(super) fn fallback_identity(&self) -> Option<usize> {
        let own = self.own.as_ref().is_some_and(|own| !own.is_empty());
        (!own).then(|| self.page.identity())
    }

    /// The identity of these resources, valid while they exist.
    pub(super) fn identity(&self) -> (usize, usize) {
        (self.own.as_ref().map_or(0, Dict::identity), self.page.identity())
    }

    /// The resource `name` of a category, unresolved, and its dictionary.
    ///
    /// Checks 6.2.2-2 of parts 2 to 4: the stream itself has the resource, not its page, and for a
    /// page not its parent.
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
                format!("{category} {name} is not in the resources of the stream that uses it")
            });
        }
        Some(found)
    }
}

impl Graphics<'_> {
    /// 6.2.2-3 (part 4): resources define every name that the content uses.
    pub(super) fn undefined(&self, category: &str, name: &Name) {
        if self.is_part_4() {
            self.fail_named(("6.2.2", 3), None, || {
                format!("no resources define {category} {name}")
            });
        }
    }
}
